import { createHash } from 'node:crypto'
import { type Blob, type BlobReader, sha256, type TreeRecord } from '@zos/core'
import { type PackageInfo, pkginfoText } from './pkginfo.js'
import { filesSegment, segment } from './segment.js'
import { type SigningKey, signatureFile } from './signature.js'

/** Names of a package's scripts, in the order in which apk keeps them. */
export const scriptNames = [
  'pre-install',
  'post-install',
  'pre-deinstall',
  'post-deinstall',
  'pre-upgrade',
  'post-upgrade',
  'trigger',
] as const
export type ScriptName = (typeof scriptNames)[number]

export interface ApkContent {
  /** `size` and `dataHash` are computed. */
  readonly info: Omit<PackageInfo, 'size' | 'dataHash'>
  /** The package's files, parents first: `tree.records()`. */
  readonly records: Iterable<TreeRecord>
  readonly scripts?: Readonly<Partial<Record<ScriptName, string>>>
  readonly key: SigningKey
  /** Level of gzip for the files, 1 to 9; 9 unless told. */
  readonly level?: number
}

/**
 * A signed package of format v2: signature, control and data segment, each a gzip member. Every file and link carries
 * its SHA-1 in PAX, as apk checks it. The same content gives the same bytes; times are `info.buildDate`.
 */
export const writeApk = async (
  { info, records, scripts = {}, key, level }: ApkContent,
  blobs: BlobReader,
): Promise<Uint8Array> => {
  const all = [...records]
  const epoch = info.buildDate ?? 0
  const sums = new Map<string, string>()
  let size = 0
  for (const record of all) {
    if (record.kind === 'file') {
      sums.set(record.path, await sha1Of(record.blob, blobs))
      if (record.link === undefined || record.link === record.path) size += record.blob.size
    } else if (record.kind === 'symlink') sums.set(record.path, createHash('sha1').update(record.target).digest('hex'))
  }
  const data = await segment(all, blobs, {
    epoch,
    ...(level !== undefined && { level }),
    pax: ({ path }) => ({ ...(sums.has(path) && { 'APK-TOOLS.checksum.SHA1': sums.get(path)! }) }),
  })
  const control = await filesSegment(
    [
      { name: '.PKGINFO', content: pkginfoText({ ...info, size, dataHash: sha256(data) }) },
      ...scriptNames.flatMap((name) =>
        scripts[name] === undefined ? [] : [{ name: `.${name}`, content: scripts[name], mode: 0o755 }],
      ),
    ],
    { epoch, end: 'none' },
  )
  return Buffer.concat([await signatureSegment(control, key), control, data])
}

/** The segment that signs what follows it. */
export const signatureSegment = (signed: Uint8Array, key: SigningKey): Promise<Uint8Array> => {
  const { name, bytes } = signatureFile(signed, key)
  return filesSegment([{ name, content: bytes }], { epoch: 0, end: 'none' })
}

const sha1Of = async (blob: Blob, blobs: BlobReader): Promise<string> => {
  const hash = createHash('sha1')
  for await (const chunk of blobs.stream(blob)) hash.update(chunk)
  return hash.digest('hex')
}
