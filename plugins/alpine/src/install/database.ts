// apk's database of what is installed (apk-tools 2.x): with it the image's own apk lists, audits and adds packages.
import { createHash } from 'node:crypto'
import type { Entry, TreeRecord } from '@zos/core'
import { tarHead } from '@zos/core/format'
import { indexEntryText } from '../format/index-text.js'
import { checksumText } from '../format/read-apk.js'
import { scriptNames } from '../format/write-apk.js'
import { indexEntry } from '../format/write-index.js'
import type { UnpackedPackage } from './facts.js'

const byDisplay = (a: UnpackedPackage, b: UnpackedPackage): number => {
  const [left, right] = [a.name.toLowerCase(), b.name.toLowerCase()]
  return left < right ? -1 : left > right ? 1 : a.name < b.name ? -1 : 1
}

/** `installed`: what the index says of each package, then its folders and files. `lost` are files that others have. */
export const installedText = (
  packages: readonly UnpackedPackage[],
  lost: ReadonlyMap<UnpackedPackage, ReadonlySet<string>>,
): string =>
  [...packages]
    .sort(byDisplay)
    .map((one) => installedEntry(one, lost.get(one) ?? new Set()))
    .join('')

const installedEntry = (one: UnpackedPackage, lost: ReadonlySet<string>): string => {
  const { info, size } = one.facts
  const header = indexEntryText(indexEntry({ apk: { info, checksum: one.control }, size })).slice(0, -1)
  const { replaces = [], replacesPriority = 0 } = info
  return [
    header,
    replaces.length > 0 ? `r:${replaces.join(' ')}\n` : '',
    replacesPriority > 0 ? `q:${replacesPriority}\n` : '',
    one.tag === undefined ? '' : `s:${one.tag}\n`,
    ...folderLines(one, lost),
    '\n',
  ].join('')
}

function* folderLines({ tree, facts }: UnpackedPackage, lost: ReadonlySet<string>): Generator<string> {
  const folders = new Map<string, string[]>()
  for (const path of facts.paths) {
    if (path.endsWith('/')) {
      if (!folders.has(path.slice(0, -1))) folders.set(path.slice(0, -1), [])
      continue
    }
    const folder = path.slice(0, path.lastIndexOf('/'))
    const files = folders.get(folder)
    if (lost.has(path)) continue
    if (files) files.push(path)
    else folders.set(folder, [path])
  }
  for (const [folder, files] of folders) {
    yield `F:${folder.slice(1)}\n`
    yield aclLine('M', tree.get(folder === '' ? '/' : folder), 0o755)
    for (const path of files) {
      yield `R:${path.slice(path.lastIndexOf('/') + 1)}\n`
      yield aclLine('a', tree.get(path), 0o644)
      const sha1 = facts.sha1[path]
      if (sha1 !== undefined) yield `Z:${checksumText(Buffer.from(sha1, 'hex'))}\n`
    }
  }
}

/** Owner, mode and the checksum of extended attributes, where they are not the usual ones. */
const aclLine = (letter: 'M' | 'a', entry: Entry | undefined, usual: number): string => {
  if (!entry) return ''
  const { uid, gid, mode } = entry
  const xattrs = letter === 'a' && entry.kind !== 'symlink' ? xattrChecksum(entry.xattrs ?? {}) : undefined
  if (uid === 0 && gid === 0 && mode === usual && xattrs === undefined) return ''
  return `${letter}:${uid}:${gid}:${mode.toString(8)}${xattrs === undefined ? '' : `:${xattrs}`}\n`
}

/** SHA-1 over names and values in the order of the names, each after its length as 32 bits. */
const xattrChecksum = (xattrs: Readonly<Record<string, string>>): string | undefined => {
  const names = Object.keys(xattrs).sort()
  if (names.length === 0) return undefined
  const hash = createHash('sha1')
  for (const name of names)
    for (const bytes of [Buffer.from(name), Buffer.from(xattrs[name]!, 'base64')]) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      hash.update(length).update(bytes)
    }
  return checksumText(hash.digest())
}

/** `triggers`: which folders call whose trigger script. */
export const triggersText = (packages: readonly UnpackedPackage[]): string =>
  [...packages]
    .sort(byDisplay)
    .filter(({ facts }) => (facts.info.triggers ?? []).length > 0)
    .map(({ control, facts }) => `${control} ${facts.info.triggers!.join(' ')}\n`)
    .join('')

/** `scripts.tar`: all scripts of all packages, for upgrades and removals on the machine. */
export const scriptsTar = (packages: readonly UnpackedPackage[]): Uint8Array => {
  const parts: Uint8Array[] = []
  for (const { name, control, facts } of [...packages].sort(byDisplay))
    for (const script of scriptNames) {
      const text = facts.scripts[script]
      if (text === undefined) continue
      const bytes = Buffer.from(text)
      // A checksum in base64 may have slashes: this is a name in an archive, not a path in the image.
      const path = `/${name}-${facts.info.version}.${control}.${script}`
      const record: TreeRecord = {
        path,
        kind: 'file',
        mode: 0o755,
        uid: 0,
        gid: 0,
        blob: { sha256: '', size: bytes.length },
      }
      parts.push(
        tarHead(record, undefined, facts.info.buildDate ?? 0),
        bytes,
        Buffer.alloc((512 - (bytes.length % 512)) % 512),
      )
    }
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}
