import { ZosError } from '@zos/core'
import { type IndexEntry, indexEntryText } from './index-text.js'
import { type ApkFile, readApk } from './read-apk.js'
import { filesSegment } from './segment.js'
import type { SigningKey } from './signature.js'
import { signatureSegment } from './write-apk.js'

/** A package of a repository: what it says of itself, and the size of its file in bytes. */
export interface IndexPackage {
  readonly apk: Pick<ApkFile, 'info' | 'checksum'>
  readonly size: number
}

/** A package file as it is indexed. */
export const indexPackage = async (bytes: Uint8Array, name: string): Promise<IndexPackage> => ({
  apk: await readApk(bytes, name),
  size: bytes.length,
})

/** How an index lists a package. */
export const indexEntry = ({ apk: { info, checksum }, size }: IndexPackage): IndexEntry => ({
  name: info.name,
  version: info.version,
  arch: info.arch,
  checksum,
  size,
  installedSize: info.size,
  description: info.description ?? '',
  url: info.url ?? '',
  license: info.license ?? '',
  origin: info.origin ?? '',
  maintainer: info.maintainer ?? '',
  commit: info.commit ?? '',
  buildDate: info.buildDate ?? 0,
  providerPriority: info.providerPriority ?? 0,
  depends: (info.depends ?? []).join(' '),
  provides: (info.provides ?? []).join(' '),
  installIf: (info.installIf ?? []).join(' '),
})

/**
 * A signed `APKINDEX.tar.gz` of packages, sorted by name and version. Files are expected as `NAME-VERSION.apk` beside it.
 * Two packages of one name and version are `APK_INDEX`.
 */
export const writeIndex = async (
  packages: readonly IndexPackage[],
  key: SigningKey,
  options: { readonly description?: string; readonly epoch?: number } = {},
): Promise<Uint8Array> => {
  const entries = packages.map(indexEntry).sort((a, b) => {
    return a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1
  })
  for (const [index, { name, version }] of entries.entries()) {
    const next = entries[index + 1]
    if (next?.name === name && next.version === version)
      throw new ZosError('APK_INDEX', `${name} ${version} is there twice; an index lists one`)
  }
  const { description = '', epoch = 0 } = options
  const index = await filesSegment(
    [
      { name: 'DESCRIPTION', content: `${description}\n` },
      { name: 'APKINDEX', content: entries.map(indexEntryText).join('') },
    ],
    { epoch },
  )
  return Buffer.concat([await signatureSegment(index, key), index])
}
