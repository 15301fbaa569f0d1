import { Buffer } from 'node:buffer'
import { ZosError } from '../error.js'
import type { BlobReader } from '../model/blobs.js'
import type { TreeRecord } from '../model/entry.js'
import { checkPath } from '../model/tree-path.js'
import { type ArchivePiece, archivePiece, writePieces } from './archive-piece.js'
import { paxRecord } from './pax.js'
import { tarBlock, xattrPrefix } from './tar-header.js'

export interface TarWriteOptions {
  /** Modification time of every entry, in seconds since 1970. */
  readonly epoch: number
  /** `none` leaves the zero blocks at the end out, as the segments inside an APK do; `marker` unless told. */
  readonly end?: 'marker' | 'none'
  /** Further PAX records of an entry, by keyword. */
  readonly pax?: (record: TreeRecord) => Readonly<Record<string, string>>
}

/**
 * A plain tar archive of records in the order given: ustar, with a PAX header only where ustar cannot say it; numeric
 * owners, xattrs as `SCHILY.xattr.*`, the later ones of hard links as links to the first. Errors: `TREE_PATH`, `TAR_RANGE`,
 * and what `writePieces` throws.
 */
export const writeTar = (
  records: Iterable<TreeRecord>,
  blobs: BlobReader,
  options: TarWriteOptions,
): AsyncGenerator<Uint8Array, void, undefined> => writePieces(tarPieces(records, options), blobs)

/** One piece a record, then the end marker. */
export function* tarPieces(
  records: Iterable<TreeRecord>,
  { epoch, end = 'marker', pax = () => ({}) }: TarWriteOptions,
): Generator<ArchivePiece> {
  const firsts = new Map<string, string>()
  for (const record of records) {
    checkPath(record.path)
    const first = record.kind === 'file' && record.link !== undefined ? firsts.get(record.link) : undefined
    if (record.kind === 'file' && record.link !== undefined && first === undefined) firsts.set(record.link, record.path)
    const blob = record.kind === 'file' && first === undefined ? record.blob : undefined
    yield archivePiece(record.path, tarHead(record, first, epoch, pax(record)), tarBlock, blob)
  }
  if (end === 'marker') yield archivePiece('end of archive', new Uint8Array(2 * tarBlock), tarBlock)
}

const flags = { file: '0', symlink: '2', character: '3', block: '4', directory: '5', fifo: '6' } as const

/** Largest values of ustar's octal fields of 8 and 12 bytes. */
const octal8 = 0o7777777
const octal12 = 0o77777777777

/** The header blocks of a record; `first` is the path that it is a hard link to, `further` what PAX shall say beside. */
export const tarHead = (
  record: TreeRecord,
  first: string | undefined,
  epoch: number,
  further: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const name = memberName(record)
  const linkname = first !== undefined ? first.slice(1) : record.kind === 'symlink' ? record.target : ''
  const size = record.kind === 'file' && first === undefined ? record.blob.size : 0
  const split = splitName(name)
  const device = record.kind === 'character' || record.kind === 'block'

  const pax: Uint8Array[] = []
  if (!split || !isAscii(name)) pax.push(paxRecord('path', name))
  if (Buffer.byteLength(linkname) > 100 || !isAscii(linkname)) pax.push(paxRecord('linkpath', linkname))
  if (size > octal12) pax.push(paxRecord('size', String(size)))
  if (record.uid > octal8) pax.push(paxRecord('uid', String(record.uid)))
  if (record.gid > octal8) pax.push(paxRecord('gid', String(record.gid)))
  for (const [key, value] of Object.entries(record.xattrs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    pax.push(paxRecord(xattrPrefix + key, Buffer.from(value, 'base64')))
  }
  for (const [keyword, value] of Object.entries(further)) pax.push(paxRecord(keyword, value))

  const header = block({
    name: split?.name ?? name,
    prefix: split?.prefix ?? '',
    flag: first !== undefined ? '1' : flags[record.kind],
    linkname,
    mode: record.mode,
    uid: record.uid > octal8 ? 0 : record.uid,
    gid: record.gid > octal8 ? 0 : record.gid,
    size: size > octal12 ? 0 : size,
    major: device ? record.major : 0,
    minor: device ? record.minor : 0,
    epoch,
    path: record.path,
  })
  if (pax.length === 0) return header
  const content = Buffer.concat(pax)
  const extended = block({
    name: 'PaxHeaders/entry',
    prefix: '',
    flag: 'x',
    linkname: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.length,
    major: 0,
    minor: 0,
    epoch,
    path: record.path,
  })
  const padding = Buffer.alloc((tarBlock - (content.length % tarBlock)) % tarBlock)
  return Buffer.concat([extended, content, padding, header])
}

const memberName = ({ kind, path }: TreeRecord): string =>
  path === '/' ? './' : kind === 'directory' ? `${path.slice(1)}/` : path.slice(1)

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length

/** ustar's two name fields, 100 and 155 bytes, with a `/` between that neither holds. */
const splitName = (name: string): { name: string; prefix: string } | undefined => {
  if (Buffer.byteLength(name) <= 100) return { name, prefix: '' }
  if (!isAscii(name)) return undefined
  const slash = name.indexOf('/', name.length - 101)
  return slash > 0 && slash <= 155 && slash < name.length - 1
    ? { name: name.slice(slash + 1), prefix: name.slice(0, slash) }
    : undefined
}

interface BlockFields {
  readonly name: string
  readonly prefix: string
  readonly flag: string
  readonly linkname: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly major: number
  readonly minor: number
  readonly epoch: number
  /** For errors. */
  readonly path: string
}

const block = (fields: BlockFields): Uint8Array => {
  // Out of the pool: a buffer of its own for each header costs more than all that is in it.
  const bytes = Buffer.allocUnsafe(tarBlock).fill(0)
  const octal = (what: string, value: number, at: number, size: number): void => {
    const digits = Number.isSafeInteger(value) && value >= 0 ? value.toString(8).padStart(size - 1, '0') : ''
    if (digits.length !== size - 1) {
      throw new ZosError('TAR_RANGE', `${fields.path}: its ${what} is ${value}; expected 0 to ${8 ** (size - 1) - 1}`)
    }
    bytes.write(digits, at, 'latin1')
  }
  bytes.write(fields.name, 0, 100)
  octal('mode', fields.mode, 100, 8)
  octal('uid', fields.uid, 108, 8)
  octal('gid', fields.gid, 116, 8)
  octal('size', fields.size, 124, 12)
  octal('time', fields.epoch, 136, 12)
  bytes.fill(0x20, 148, 156)
  bytes.write(fields.flag, 156, 'latin1')
  bytes.write(fields.linkname, 157, 100)
  bytes.write('ustar\x0000', 257, 'latin1')
  octal('device major', fields.major, 329, 8)
  octal('device minor', fields.minor, 337, 8)
  bytes.write(fields.prefix, 345, 155)
  let sum = 0
  for (let at = 0; at < tarBlock; at++) sum += bytes[at] as number
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}
