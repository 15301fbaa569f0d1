import { createHash } from 'node:crypto'
import { sha256, ZosError } from '@zos/core'
import { gzipMember } from './gzip-members.js'
import { type PackageInfo, parsePkginfo } from './pkginfo.js'
import { type Signature, signaturesIn } from './signature.js'
import { tarFiles } from './tar-files.js'
import { type ScriptName, scriptNames } from './write-apk.js'

/** A package taken apart; its data is still compressed. */
export interface ApkFile {
  readonly signatures: readonly Signature[]
  /** The compressed control segment: what is signed. */
  readonly control: Uint8Array
  /** SHA-1 of the control segment as apk writes it: `Q1` and base64. An index names a package by it. */
  readonly checksum: string
  readonly info: PackageInfo
  readonly scripts: Readonly<Partial<Record<ScriptName, string>>>
  /** The compressed data segment; its SHA-256 is `info.dataHash`. */
  readonly data: Uint8Array
}

const limits = { file: 2 * 1024 ** 3, control: 128 * 1024 ** 2 }

/** `Q1` and base64 of a SHA-1, as apk writes checksums. */
export const checksumText = (sha1: Uint8Array): string => `Q1${Buffer.from(sha1).toString('base64')}`

/** The checksum that an index has of a control segment, in the form that `like` has: `Q2` is SHA-256. */
export const controlChecksum = (control: Uint8Array, like: string): string =>
  like.startsWith('Q2')
    ? `Q2${createHash('sha256').update(control).digest('base64')}`
    : checksumText(createHash('sha1').update(control).digest())

/** Package and index files of format v3 begin so, plain or compressed (apk-v3(5)). */
export const isAdb = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x41 && bytes[1] === 0x44 && bytes[2] === 0x42 && [0x2e, 0x64, 0x63].includes(bytes[3] ?? 0)

/** Refuses format v3 by name: throws `APK_V3`. */
export const refuseAdb = (bytes: Uint8Array, name: string): void => {
  if (isAdb(bytes))
    throw new ZosError('APK_V3', `${name} is of format v3 (ADB), which is not read here; expected format v2`, {
      hint: 'Alpine publishes v2 up to 3.22: take such a branch, or a repository that has v2',
    })
}

/**
 * Takes a package of format v2 apart and checks that its data is what its control segment says. Who signed it is not
 * judged here. Throws `APK_V3`, `APK_FORMAT`, `APK_PKGINFO`, `GZIP_MEMBER` and what the tar reader throws.
 */
export const readApk = async (bytes: Uint8Array, name: string): Promise<ApkFile> => {
  refuseAdb(bytes, name)
  if (bytes.length > limits.file) throw new ZosError('APK_FORMAT', `${name}: a package of ${bytes.length} bytes`)
  const { signatures, control, files, rest } = await signedControl(bytes, name)
  const pkginfo = files.get('.PKGINFO')
  if (!pkginfo)
    throw new ZosError('APK_FORMAT', `${name}: no .PKGINFO in its control segment`, {
      hint: 'is it an Alpine package?',
    })
  const info = parsePkginfo(pkginfo, name)
  const data = bytes.subarray(rest)
  if (info.dataHash === undefined)
    throw new ZosError('APK_FORMAT', `${name}: its .PKGINFO has no datahash, so its data cannot be checked`)
  const found = sha256(data)
  if (found !== info.dataHash.toLowerCase())
    throw new ZosError('APK_FORMAT', `${name}: its data is ${found}, expected ${info.dataHash}`, {
      hint: 'it is damaged or was changed: take another mirror',
    })
  const scripts: Partial<Record<ScriptName, string>> = {}
  for (const script of scriptNames) {
    const content = files.get(`.${script}`)
    if (content) scripts[script] = Buffer.from(content).toString('utf8')
  }
  const checksum = controlChecksum(control, 'Q1')
  return { signatures, control, checksum, info, scripts, data }
}

/** Signature members, then the control member: signatures are files whose names begin with `.SIGN.`. */
const signedControl = async (bytes: Uint8Array, name: string) => {
  const signatures: Signature[] = []
  let at = 0
  for (let member = 0; member < 8 && at < bytes.length; member++) {
    const { compressed, content, end } = gzipMember(bytes, at, limits.control, name)
    const files = await tarFiles(content, `${name}, ${member === 0 ? 'first' : 'next'} segment`)
    at = end
    if (![...files.keys()].every((file) => file.startsWith('.SIGN.')) || files.size === 0)
      return { signatures, control: compressed, files, rest: at }
    signatures.push(...signaturesIn(files))
  }
  throw new ZosError('APK_FORMAT', `${name}: no control segment after its signatures`, {
    hint: 'is it an Alpine package?',
  })
}
