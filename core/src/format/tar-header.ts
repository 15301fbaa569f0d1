// One tar header block and what extended headers say about it. Formats: POSIX.1-2017 pax (ustar and pax interchange),
// GNU tar manual, "Basic Tar Format" and its base-256 numbers.
import { Buffer } from 'node:buffer'
import { quote } from '../model/tree-path.js'
import { decodeUtf8 } from './archive-path.js'
import type { PaxRecords } from './pax.js'

export const tarBlock = 512

/** Keyword of an extended attribute in PAX, before its name. */
export const xattrPrefix = 'SCHILY.xattr.'

export type TarKind = 'file' | 'link' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo'

export interface TarHeader {
  readonly kind: TarKind
  /** As written in the archive, with its `./` and trailing `/`. */
  readonly path: string
  /** Target of a link of either kind, else empty. */
  readonly linkpath: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Names of owner and group; empty where the archive has none. */
  readonly uname: string
  readonly gname: string
  /** Bytes of content; 0 for all but files. */
  readonly size: number
  readonly major: number
  readonly minor: number
  /** By full name; values are base64. */
  readonly xattrs?: Readonly<Record<string, string>>
  /** The extended header's records as they are, those that this reader does not know among them. */
  readonly pax: PaxRecords
  /** Where the header block starts, in bytes of the plain archive. */
  readonly offset: number
}

/** What comes in headers of its own before an entry. */
export interface TarExtensions {
  readonly pax: PaxRecords
  readonly longName?: Uint8Array | undefined
  readonly longLink?: Uint8Array | undefined
}

/** Makes the error for the block at hand; the caller knows archive and offset. */
export type TarFail = (code: string, problem: string, hint?: string) => Error

const kinds: Readonly<Record<string, TarKind>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
}

/** The largest id: Linux keeps 2^32 - 1 for "no change". */
const largestId = 0xffff_fffe
const largestMajor = 0xfff
const largestMinor = 0xf_ffff

export const isZeroBlock = (block: Uint8Array): boolean => {
  for (let at = 0; at < block.length; at++) if (block[at] !== 0) return false
  return true
}

/** Checks the checksum and gives the type flag: throws `TAR_CHECKSUM`. */
export const tarTypeflag = (block: Uint8Array, fail: TarFail): string => {
  const written = octal(block.subarray(148, 156))
  let unsigned = 8 * 0x20
  let high = 0
  for (let at = 0; at < tarBlock; at++) {
    const byte = block[at] as number
    if (at >= 148 && at < 156) continue
    unsigned += byte
    if (byte >= 0x80) high += 1
  }
  // Some old tars summed signed bytes.
  if (written !== unsigned && written !== unsigned - 0x100 * high) {
    throw fail(
      'TAR_CHECKSUM',
      `the header checksum is ${written === undefined ? 'not a number' : `0${written.toString(8)}`}, expected 0${unsigned.toString(8)}`,
      'the file is damaged, or it is no plain tar archive (still compressed?)',
    )
  }
  return String.fromCharCode(block[156] as number)
}

/** The size field of a header, for the extended headers too. */
export const tarSize = (block: Uint8Array, fail: TarFail): number => number(block, 124, 12, 'size', fail)

/**
 * Reads a header block whose checksum holds. Errors: `TAR_TYPE`, `TAR_SPARSE`, `TAR_NUMBER`, `TAR_PATH`, `TAR_SIZE`.
 */
export const parseTarHeader = (block: Uint8Array, offset: number, extra: TarExtensions, fail: TarFail): TarHeader => {
  const { pax } = extra
  const magic = Buffer.from(block.buffer, block.byteOffset + 257, 6).toString('latin1')
  const posix = magic === 'ustar\0'
  const ownerName = (key: string, at: number): string =>
    loose(pax.get(key) ?? untilNul(block, at, posix || magic === 'ustar ' ? 32 : 0))
  const flag = String.fromCharCode(block[156] as number)
  const path = text('path', pax.get('path') ?? extra.longName ?? nameField(block, posix), fail)
  const named: TarFail = (code, problem, hint) => fail(code, `entry ${quote(path)}: ${problem}`, hint)

  if (flag === 'S' || hasSparse(pax)) {
    throw named('TAR_SPARSE', 'is a sparse file; expected whole files', 'make the archive without --sparse')
  }
  const byFlag = Object.hasOwn(kinds, flag) ? kinds[flag] : undefined
  if (!byFlag) throw named('TAR_TYPE', `has the unknown type ${quote(flag)}; expected 0 to 7`)
  const kind = byFlag === 'file' && flag !== '7' && path.endsWith('/') ? 'directory' : byFlag
  const isLink = kind === 'link' || kind === 'symlink'
  const linkpath = isLink ? text('link', pax.get('linkpath') ?? extra.longLink ?? untilNul(block, 157, 100), named) : ''
  if (isLink && linkpath === '') throw named('TAR_PATH', 'is a link without a target')

  const size = paxNumber(pax, 'size', named) ?? tarSize(block, named)
  if (kind !== 'file' && size !== 0)
    throw named('TAR_SIZE', `has ${size} bytes of content; expected none for a ${kind}`)
  const device = kind === 'character' || kind === 'block'
  const id = (key: 'uid' | 'gid', at: number): number =>
    atMost(largestId, paxNumber(pax, key, named) ?? number(block, at, 8, key, named), key, named)
  const deviceNumber = (key: string, at: number, most: number): number =>
    device ? atMost(most, paxNumber(pax, `SCHILY.${key}`, named) ?? number(block, at, 8, key, named), key, named) : 0
  const xattrs = xattrsOf(pax)
  return {
    kind,
    path,
    linkpath,
    mode: number(block, 100, 8, 'mode', named) & 0o7777,
    uid: id('uid', 108),
    gid: id('gid', 116),
    uname: ownerName('uname', 265),
    gname: ownerName('gname', 297),
    size,
    major: deviceNumber('devmajor', 329, largestMajor),
    minor: deviceNumber('devminor', 337, largestMinor),
    ...(xattrs && { xattrs }),
    pax,
    offset,
  }
}

const hasSparse = (pax: PaxRecords): boolean => {
  for (const key of pax.keys()) if (key.startsWith('GNU.sparse.') || key === 'SCHILY.realsize') return true
  return false
}

const untilNul = (block: Uint8Array, at: number, size: number): Uint8Array => {
  const field = block.subarray(at, at + size)
  const nul = field.indexOf(0)
  return nul < 0 ? field : field.subarray(0, nul)
}

/** GNU and old headers keep other things where ustar has the prefix. */
const nameField = (block: Uint8Array, posix: boolean): Uint8Array => {
  const name = untilNul(block, 0, 100)
  const prefix = posix ? untilNul(block, 345, 155) : undefined
  return prefix?.length ? Buffer.concat([prefix, Buffer.from('/'), name]) : name
}

const text = (what: string, bytes: Uint8Array, fail: TarFail): string => {
  const value = decodeUtf8(bytes)
  if (value === undefined) {
    const shown = quote(Buffer.from(bytes).toString('latin1'))
    throw fail('TAR_PATH', `the ${what} ${shown} (shown as Latin-1) is not UTF-8`)
  }
  if (value.includes('\0')) throw fail('TAR_PATH', `the ${what} ${quote(value)} has a NUL in it`)
  return value
}

const loose = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** Octal digits between spaces, ended by a space or NUL; an empty field is 0. */
const octal = (field: Uint8Array): number | undefined => {
  let at = 0
  while (field[at] === 0x20) at++
  let value = 0
  for (; at < field.length; at++) {
    const byte = field[at] as number
    if (byte === 0 || byte === 0x20) break
    if (byte < 0x30 || byte > 0x37) return undefined
    value = value * 8 + byte - 0x30
  }
  return value
}

const number = (block: Uint8Array, at: number, size: number, what: string, fail: TarFail): number => {
  const field = block.subarray(at, at + size)
  const first = field[0] as number
  const value = first < 0x80 ? octal(field) : first === 0x80 ? base256(field.subarray(1)) : undefined
  if (value === undefined) {
    throw fail('TAR_NUMBER', `its ${what} is 0x${Buffer.from(field).toString('hex')}; expected octal digits`)
  }
  return value
}

const base256 = (bytes: Uint8Array): number | undefined => {
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return Number.isSafeInteger(value) ? value : undefined
}

const paxNumber = (pax: PaxRecords, key: string, fail: TarFail): number | undefined => {
  const bytes = pax.get(key)
  if (!bytes) return undefined
  const written = loose(bytes)
  if (!/^[0-9]{1,15}$/.test(written)) {
    throw fail('TAR_NUMBER', `its PAX ${key} is ${quote(written)}; expected decimal digits`)
  }
  return Number(written)
}

const atMost = (most: number, value: number, what: string, fail: TarFail): number => {
  if (value > most) throw fail('TAR_NUMBER', `its ${what} is ${value}; expected at most ${most}`)
  return value
}

const xattrsOf = (pax: PaxRecords): Record<string, string> | undefined => {
  const found: [string, string][] = []
  for (const [key, value] of pax) {
    if (key.startsWith(xattrPrefix) && key.length > xattrPrefix.length) {
      found.push([key.slice(xattrPrefix.length), Buffer.from(value).toString('base64')])
    }
  }
  if (found.length === 0) return undefined
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}
