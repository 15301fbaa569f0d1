import { generateKeyPairSync } from 'node:crypto'
import { FileTree, type TreeRecord } from '@zos/core'
import { MemoryBlobs } from '@zos/core/testing'
import type { PackageInfo } from '../dist/format/pkginfo.js'
import type { SigningKey } from '../dist/format/signature.js'
import { type ScriptName, writeApk } from '../dist/format/write-apk.js'

/** A key pair made for one test; the private half signs, the public half is trusted. */
export const madeKey = (name = 'test@example.org-5e1d0000.rsa.pub'): SigningKey & { readonly publicKey: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return { name, privateKey, publicKey }
}

/** What goes into a package: text, a link (`-> target`), a hard link (`=> path`), a folder (`/`). */
export interface MadePackage {
  readonly info?: Partial<PackageInfo>
  readonly files?: Readonly<Record<string, string>>
  readonly modes?: Readonly<Record<string, number>>
  readonly xattrs?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly scripts?: Readonly<Partial<Record<ScriptName, string>>>
}

export const madeTree = async (
  { files = {}, modes = {}, xattrs = {} }: MadePackage,
  blobs: MemoryBlobs,
): Promise<FileTree> => {
  const owner = { uid: 0, gid: 0 }
  const linked = new Set(Object.values(files).flatMap((text) => (text.startsWith('=> ') ? [text.slice(3)] : [])))
  const records: TreeRecord[] = []
  for (const [path, content] of Object.entries(files)) {
    // A hard link has the attributes of the file.
    const source = content.startsWith('=> ') ? content.slice(3) : path
    const attributes = { ...owner, ...(xattrs[source] && { xattrs: xattrs[source] }) }
    const mode = modes[source]
    if (content === '/') records.push({ path, kind: 'directory', mode: mode ?? 0o755, ...attributes })
    else if (content.startsWith('-> '))
      records.push({ path, kind: 'symlink', mode: 0o777, target: content.slice(3), ...attributes })
    else {
      const blob = await blobs.put(files[source]!)
      const link = linked.has(source) ? { link: source } : {}
      records.push({ path, kind: 'file', mode: mode ?? 0o644, blob, ...link, ...attributes })
    }
  }
  return FileTree.from(records)
}

/** A signed package. */
export const makeApk = async (
  name: string,
  version: string,
  made: MadePackage,
  key: SigningKey,
): Promise<Uint8Array> => {
  const blobs = new MemoryBlobs()
  const tree = await madeTree(made, blobs)
  const info = { name, version, arch: 'x86_64', description: `${name} made for a test`, license: 'MIT', ...made.info }
  return writeApk({ info, records: tree.records(), key, ...(made.scripts && { scripts: made.scripts }) }, blobs)
}
