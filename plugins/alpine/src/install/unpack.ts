import { createHash } from 'node:crypto'
import { type Artifact, type Blobs, FileTree, type Json, type TreeRecord, ZosError } from '@zos/core'
import { decompress, readTarTree } from '@zos/core/format'
import { readApk } from '../format/read-apk.js'
import type { PackageFacts } from './facts.js'

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const checksumKeyword = 'APK-TOOLS.checksum.SHA1'

/** What apk leaves out: hidden files at the root, and those that only keep a folder. */
const isLeftOut = (path: string): boolean => path.startsWith('/.') || /\/\.keep_[^/]*$/.test(path)

/**
 * Takes a package apart: its files as a tree, what `.PKGINFO`, scripts and headers say as facts. Nothing is run.
 * Throws `APK_FORMAT` and what the tar reader and decompression throw.
 */
export const unpackApk = async (
  bytes: Uint8Array,
  { name, plugin }: { readonly name: string; readonly plugin: string },
  blobs: Blobs,
): Promise<Artifact> => {
  const { info, scripts, data } = await readApk(bytes, name)
  if (info.name !== name)
    throw new ZosError('APK_FORMAT', `the package that should be ${name} says it is ${info.name}`, { subject: name })
  const sha1: Record<string, string> = {}
  const owners: Record<string, readonly [string, string]> = {}
  const label = `${name}, data`
  const all = await readTarTree(decompress(once(data), 'gz', { name: label }), blobs, {
    name: label,
    end: 'none',
    // devtmpfs makes the devices; a package that brings one wants more than files.
    devices: 'refuse',
    origin: { plugin, package: name, ...(info.origin !== undefined && { source: info.origin }) },
    onHeader: (path, { pax, uname, gname, kind }) => {
      const checksum = pax.get(checksumKeyword)
      if (checksum) sha1[path] = Buffer.from(checksum).toString('latin1')
      if (kind !== 'symlink' && (!isRoot(uname) || !isRoot(gname))) owners[path] = [uname, gname]
    },
  })
  const records = all.filter(({ path }) => !isLeftOut(path))
  for (const record of records) {
    const stated = sha1[record.path]
    if (stated !== undefined && !/^[0-9a-f]{40}$/.test(stated))
      throw new ZosError('APK_FORMAT', `${label}: the checksum of ${record.path} is no SHA-1`, { subject: name })
    const found = stated ?? (await sha1Of(record, records, sha1, blobs))
    if (found !== undefined) sha1[record.path] = found
  }
  const facts: PackageFacts = {
    info,
    size: bytes.length,
    scripts,
    paths: records.map(({ path, kind }) => (kind === 'directory' ? `${path}/` : path)),
    sha1: kept(sha1, records),
    owners: kept(owners, records),
  }
  return { trees: { tree: FileTree.from(records) }, facts: facts as unknown as Record<string, Json> }
}

const isRoot = (name: string): boolean => name === '' || name === 'root'

/** Packages state checksums of all but hard links; those have the one of their file. */
const sha1Of = async (
  record: TreeRecord,
  records: readonly TreeRecord[],
  known: Readonly<Record<string, string>>,
  blobs: Blobs,
): Promise<string | undefined> => {
  if (record.kind === 'symlink') return createHash('sha1').update(record.target).digest('hex')
  if (record.kind !== 'file') return undefined
  const { link, blob } = record
  const file =
    link === undefined ? undefined : records.find((one) => one.kind === 'file' && one.link === link && known[one.path])
  if (file) return known[file.path]
  const hash = createHash('sha1')
  for await (const chunk of blobs.stream(blob)) hash.update(chunk)
  return hash.digest('hex')
}

const kept = <T>(values: Readonly<Record<string, T>>, records: readonly TreeRecord[]): Record<string, T> =>
  Object.fromEntries(records.flatMap(({ path }) => (values[path] === undefined ? [] : [[path, values[path]]])))
