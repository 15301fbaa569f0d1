import { Buffer } from 'node:buffer'
import { ZosError } from '../error.js'
import type { BlobReader } from '../model/blobs.js'
import type { FileEntry, Origin, TreeRecord } from '../model/entry.js'
import { checkPath, parentOf } from '../model/tree-path.js'
import { type ArchivePiece, archivePiece, writePieces } from './archive-piece.js'
import { cpioAlignment, cpioHead, cpioNameBytes, cpioPadding, cpioTrailer, cpioTypes } from './cpio-header.js'

export interface CpioOptions {
  /** Modification time of every record, in seconds since 1970; 32 bits. */
  readonly epoch: number
}

export interface CpioNumbers {
  readonly ino: number
  readonly nlink: number
  readonly mtime: number
  /** Whether this is where a file's content goes: of hard links, the last. */
  readonly content: boolean
}

type FileRecord = TreeRecord & FileEntry

/** What the hard links of one file have in common. */
interface LinkGroup {
  readonly first: FileRecord
  readonly ino: number
  count: number
  last: FileRecord
}

/**
 * The whole archive of records, in their order, as pieces: one a record, then the trailer. It can be cut between any
 * two of them. A record's piece depends on that record and its hard links alone: inode numbers are a hash of the path
 * (of the first path for hard links), so an edit elsewhere leaves it as it is. The kernel's unpacker and the usual
 * tools look at inode numbers only where `nlink` is 2 or more, so only link groups are kept apart from one another;
 * everything else, directories too, says `nlink` 1. Should two groups hash alike, the later takes the next number.
 *
 * Errors: `TREE_PATH`, `CPIO_PATH`, `CPIO_SIZE`, `CPIO_XATTR`, `CPIO_ORDER` (a parent that does not come first, a path that comes
 * twice), `CPIO_LINK`, `CPIO_RANGE`.
 */
export const cpioPlan = (records: Iterable<TreeRecord>, { epoch }: CpioOptions): ArchivePiece[] => {
  const list = [...records]
  const groups = linkGroups(list)
  const kinds = new Map<string, TreeRecord['kind']>()
  const pieces: ArchivePiece[] = []
  for (const record of list) {
    const group = record.kind === 'file' && record.link !== undefined ? groups.get(record.link) : undefined
    const numbers = {
      ino: group?.ino ?? pathHash(record.path),
      nlink: group?.count ?? 1,
      mtime: epoch,
      content: !group || group.last === record,
    }
    pieces.push(cpioRecord(record, numbers))
    checkOrder(record, kinds)
    kinds.set(record.path, record.kind)
  }
  pieces.push(trailer)
  return pieces
}

/** The newc archive of records, in their order, as a stream. Errors: those of `cpioPlan` and `writePieces`. */
export const writeCpio = (
  records: Iterable<TreeRecord>,
  blobs: BlobReader,
  options: CpioOptions,
): AsyncGenerator<Uint8Array, void, undefined> => writePieces(cpioPlan(records, options), blobs)

/** One record's piece. Errors: `TREE_PATH`, `CPIO_PATH`, `CPIO_SIZE`, `CPIO_XATTR`, `CPIO_RANGE`. */
export const cpioRecord = (record: TreeRecord, { ino, nlink, mtime, content }: CpioNumbers): ArchivePiece => {
  const name = memberName(record)
  checkXattrs(record)
  const blob = record.kind === 'file' && content && record.blob.size > 0 ? record.blob : undefined
  if (record.kind === 'file' && record.blob.size > 0xffff_ffff) {
    throw new ZosError(
      'CPIO_SIZE',
      `${named(record)} has ${record.blob.size} bytes; expected less than 4 GiB, all that newc can say`,
      { hint: 'leave it out of the initramfs, or mount it from a flist' },
    )
  }
  const target = record.kind === 'symlink' ? Buffer.from(record.target) : undefined
  if (target && (target.length === 0 || target.length > cpioNameBytes || target.includes(0))) {
    throw new ZosError(
      'CPIO_PATH',
      `${named(record)} is a link to a target of ${target.length} bytes; expected 1 to ${cpioNameBytes} without a NUL`,
    )
  }
  const device = record.kind === 'character' || record.kind === 'block'
  const head = cpioHead(name, {
    ino,
    mode: cpioTypes[record.kind] | record.mode,
    uid: record.uid,
    gid: record.gid,
    nlink,
    mtime,
    filesize: target?.length ?? blob?.size ?? 0,
    rmaj: device ? record.major : 0,
    rmin: device ? record.minor : 0,
  })
  if ('problem' in head) throw new ZosError('CPIO_RANGE', `${named(record)}: ${head.problem}`)
  const whole = target ? Buffer.concat([head, target, Buffer.alloc(cpioPadding(target.length))]) : head
  return archivePiece(record.path, whole, cpioAlignment, blob)
}

/** 124 bytes, so that every archive ends on a 4-byte boundary, where another may follow. */
const trailer: ArchivePiece = (() => {
  const head = cpioHead(cpioTrailer, {
    ino: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    nlink: 1,
    mtime: 0,
    filesize: 0,
    rmaj: 0,
    rmin: 0,
  })
  if ('problem' in head) throw new TypeError(head.problem)
  return archivePiece(cpioTrailer, head, cpioAlignment)
})()

/** FNV-1a over the path's UTF-8 bytes, 32 bits; 0 is left to the trailer. */
export const pathHash = (path: string): number => {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(path)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0 || 1
}

const linkGroups = (records: readonly TreeRecord[]): ReadonlyMap<string, LinkGroup> => {
  const groups = new Map<string, LinkGroup>()
  const taken = new Set<number>()
  for (const record of records) {
    if (record.kind !== 'file' || record.link === undefined) continue
    const group = groups.get(record.link)
    if (!group) {
      let ino = pathHash(record.link)
      while (taken.has(ino)) ino = (ino + 1) >>> 0 || 1
      taken.add(ino)
      groups.set(record.link, { first: record, ino, count: 1, last: record })
      continue
    }
    const { first } = group
    const alike = first.blob.sha256 === record.blob.sha256 && first.mode === record.mode
    if (!alike || first.uid !== record.uid || first.gid !== record.gid) {
      throw new ZosError(
        'CPIO_LINK',
        `${named(record)} and ${named(first)} are hard links of one file, but differ in content, mode or owner`,
      )
    }
    group.count += 1
    group.last = record
  }
  return groups
}

/** The kernel makes no parents: a record without one would silently be missing after the boot. */
const checkOrder = (record: TreeRecord, kinds: ReadonlyMap<string, TreeRecord['kind']>): void => {
  const { path } = record
  if (kinds.has(path)) throw new ZosError('CPIO_ORDER', `${named(record)} comes twice`)
  const parent = parentOf(path)
  const kind = parent === '/' ? 'directory' : kinds.get(parent)
  if (kind === 'directory') return
  const found = kind === undefined ? 'does not come before it' : `is a ${kind}`
  throw new ZosError('CPIO_ORDER', `${named(record)}: ${parent} ${found}; expected a directory first`)
}

/** `checkPath` holds names to the kernel's 4095 bytes. */
const memberName = (record: TreeRecord): string => {
  const path = checkPath(record.path)
  const name = path === '/' ? '.' : path.slice(1)
  if (name !== cpioTrailer) return name
  throw new ZosError('CPIO_PATH', `${named(record)} has the name that ends an archive`, { hint: 'rename the file' })
}

const checkXattrs = (record: TreeRecord): void => {
  const names = Object.keys(record.xattrs ?? {}).sort()
  if (names.length === 0) return
  throw new ZosError(
    'CPIO_XATTR',
    `${named(record)} has the extended attribute ${names.join(', ')}; newc archives cannot hold any`,
    { hint: 'drop it by a rule, or let /init set it again' },
  )
}

const named = ({ path, origin }: TreeRecord): string => (origin ? `${path} (${ownerOf(origin)})` : path)

const ownerOf = ({ plugin, package: name, source }: Origin): string =>
  [`from ${plugin}`, ...(name ? [`package ${name}`] : []), ...(source ? [`source ${source}`] : [])].join(', ')
