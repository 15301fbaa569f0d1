import { crc32 } from 'node:zlib'
import { ZosError } from '../error.js'
import { BoundedView } from './bounded-view.js'

/** What the index of an .xz stream says of a block. Sizes in bytes; `unpaddedSize` is without the padding to 4. */
export interface XzBlockSizes {
  readonly unpaddedSize: number
  readonly uncompressedSize: number
}

/** One Block as it stands in the stream: header, compressed data, padding, check. */
export interface XzBlock extends XzBlockSizes {
  readonly bytes: Uint8Array
  /** Filter ids in the order in which they compress; 0x21 is LZMA2. */
  readonly filters: readonly number[]
}

export type XzCheck = 'none' | 'crc32' | 'crc64' | 'sha256'

export interface XzStream {
  readonly check: XzCheck
  readonly blocks: readonly XzBlock[]
}

/** Blocks of one stream: more than any image has, and an index that fits in memory. */
export const XZ_BLOCKS_LIMIT = 1_000_000

const HEADER_SIZE = 12
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
const FOOTER_MAGIC = 0x5a59
/** Bytes of the longest variable-length integer: 63 bits. */
const VLI_LIMIT = 9

const checks: ReadonlyMap<number, { readonly name: XzCheck; readonly size: number }> = new Map([
  [0x00, { name: 'none', size: 0 }],
  [0x01, { name: 'crc32', size: 4 }],
  [0x04, { name: 'crc64', size: 8 }],
  [0x0a, { name: 'sha256', size: 32 }],
])

const bad = (message: string): ZosError =>
  new ZosError('XZ_FORMAT', `xz stream: ${message}`, { hint: 'test the file with: xz -t FILE' })

const padTo4 = (size: number): number => (4 - (size % 4)) % 4

const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24)

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const encodeVli = (value: number): Uint8Array => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  return Uint8Array.of(...bytes, rest)
}

/** Reads one after the other: the position moves on with each field. */
class Cursor {
  at: number
  readonly #view: BoundedView
  constructor(view: BoundedView, at: number) {
    this.#view = view
    this.at = at
  }

  u8(what: string): number {
    return this.#view.u8(this.at++, what)
  }

  vli(what: string): number {
    let value = 0
    for (let index = 0; index < VLI_LIMIT; index++) {
      const byte = this.u8(what)
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte >= 0x80) continue
      if (byte === 0 && index > 0) throw bad(`${what} is not in its shortest form`)
      if (!Number.isSafeInteger(value)) throw bad(`${what} is above 2^53`)
      return value
    }
    throw bad(`${what} is longer than ${VLI_LIMIT} bytes`)
  }

  zeros(until: number, what: string): void {
    while (this.at < until) if (this.u8(what) !== 0) throw bad(`${what} is not zero`)
  }
}

const checkCrc = (view: BoundedView, at: number, size: number, storedAt: number, what: string): void => {
  const stored = view.u32(storedAt, `CRC32 of the ${what}`)
  if (crc32(view.slice(at, size, what)) !== stored) throw bad(`the CRC32 of the ${what} is wrong`)
}

/** The first 12 bytes of every stream that `joinBlocks` makes: check CRC32. */
export const xzHeader = (): Uint8Array => {
  const flags = Uint8Array.of(0x00, 0x01)
  return concat([Uint8Array.from(MAGIC), flags, u32(crc32(flags))])
}

/** Index and footer of a stream with these blocks (check CRC32), in this order. */
export const xzTail = (blocks: readonly XzBlockSizes[]): Uint8Array => {
  if (blocks.length > XZ_BLOCKS_LIMIT) throw bad(`${blocks.length} blocks, the limit is ${XZ_BLOCKS_LIMIT}`)
  const parts = [Uint8Array.of(0), encodeVli(blocks.length)]
  for (const { unpaddedSize, uncompressedSize } of blocks) {
    parts.push(encodeVli(unpaddedSize), encodeVli(uncompressedSize))
  }
  parts.push(new Uint8Array(padTo4(parts.reduce((sum, part) => sum + part.length, 0))))
  const records = concat(parts)
  const index = concat([records, u32(crc32(records))])
  const fields = concat([u32(index.length / 4 - 1), Uint8Array.of(0x00, 0x01)])
  return concat([index, u32(crc32(fields)), fields, Uint8Array.of(0x59, 0x5a)])
}

/**
 * One stream of blocks that were compressed apart. Every block must have check CRC32, as `encodeXzBlock` makes it. For
 * blocks that are not in memory: `xzHeader()`, their bytes, `xzTail(sizes)`.
 */
export const joinBlocks = (blocks: readonly XzBlock[]): Uint8Array =>
  concat([xzHeader(), ...blocks.map((block) => block.bytes), xzTail(blocks)])

const readIndex = (view: BoundedView, start: number, size: number): XzBlockSizes[] => {
  checkCrc(view, start, size - 4, start + size - 4, 'index')
  const cursor = new Cursor(view, start)
  if (cursor.u8('index indicator') !== 0) throw bad('there is no index where the footer says')
  const count = cursor.vli('number of records')
  if (count > XZ_BLOCKS_LIMIT || count * 2 > size) throw bad(`the index says ${count} blocks`)
  const records: XzBlockSizes[] = []
  for (let index = 0; index < count; index++) {
    const unpaddedSize = cursor.vli('unpadded size')
    const uncompressedSize = cursor.vli('uncompressed size')
    if (unpaddedSize < 5) throw bad(`block ${index + 1} has an unpadded size of ${unpaddedSize}`)
    records.push({ unpaddedSize, uncompressedSize })
  }
  const end = start + size - 4
  if (cursor.at > end || end - cursor.at > 3) throw bad('the index has another size than the footer says')
  cursor.zeros(end, 'padding of the index')
  return records
}

/** Checks a block's header against the index, and gives its filters. */
const readBlockHeader = (view: BoundedView, start: number, sizes: XzBlockSizes, checkSize: number): number[] => {
  const headerSize = (view.u8(start, 'block header') + 1) * 4
  if (headerSize === 4) throw bad('there is an index where a block should be')
  const compressed = sizes.unpaddedSize - headerSize - checkSize
  if (compressed < 1) throw bad(`a block header of ${headerSize} bytes in a block of ${sizes.unpaddedSize}`)
  checkCrc(view, start, headerSize - 4, start + headerSize - 4, 'block header')
  const end = start + headerSize - 4
  const cursor = new Cursor(view, start + 1)
  const flags = cursor.u8('block flags')
  if (flags & 0x3c) throw bad('unknown block flags')
  if (flags & 0x40 && cursor.vli('compressed size') !== compressed) {
    throw bad('the compressed size in a block header is not that of the index')
  }
  if (flags & 0x80 && cursor.vli('uncompressed size') !== sizes.uncompressedSize) {
    throw bad('the uncompressed size in a block header is not that of the index')
  }
  const filters: number[] = []
  for (let index = 0; index <= (flags & 3); index++) {
    filters.push(cursor.vli('filter id'))
    const properties = cursor.vli('size of filter properties')
    cursor.at += properties
  }
  if (cursor.at > end) throw bad('the filters do not fit into the block header')
  cursor.zeros(end, 'padding of a block header')
  return filters
}

/**
 * Takes a single .xz stream apart, without decompressing: the blocks' bytes are views into the input. Headers, index
 * and footer are checked with their CRC32 and against each other; the check of the content is not. Format: The .xz File
 * Format 1.2, sections 2 to 4. Throws `XZ_FORMAT`.
 */
export const parseXz = (bytes: Uint8Array): XzStream => {
  const view = new BoundedView(bytes, (what, at) =>
    bad(`${what} at byte ${at} is not inside the ${bytes.length} bytes`),
  )
  if (!isXz(bytes)) throw bad('it does not begin with the magic bytes fd 37 7a 58 5a 00')
  if (bytes.length < 2 * HEADER_SIZE + 8 || bytes.length % 4 !== 0) {
    throw bad(`${bytes.length} bytes cannot be a whole stream`)
  }
  checkCrc(view, 6, 2, 8, 'stream header')
  const footer = bytes.length - HEADER_SIZE
  if (view.u16(footer + 10, 'footer') !== FOOTER_MAGIC) throw bad('it does not end with a stream footer')
  checkCrc(view, footer + 4, 6, footer, 'footer')
  const flags = view.u16(6, 'stream flags')
  if (flags !== view.u16(footer + 8, 'stream flags')) throw bad('header and footer have different flags')
  const check = flags & 0xff ? undefined : checks.get(flags >> 8)
  if (!check) throw bad(`unknown stream flags ${flags.toString(16)}`)

  const indexSize = (view.u32(footer + 4, 'backward size') + 1) * 4
  const indexStart = footer - indexSize
  if (indexStart < HEADER_SIZE) throw bad(`an index of ${indexSize} bytes does not fit in`)
  let at = HEADER_SIZE
  const blocks = readIndex(view, indexStart, indexSize).map((sizes): XzBlock => {
    const size = sizes.unpaddedSize + padTo4(sizes.unpaddedSize)
    if (at + size > indexStart) throw bad('the blocks of the index are larger than the stream')
    const filters = readBlockHeader(view, at, sizes, check.size)
    const block = { ...sizes, filters, bytes: view.slice(at, size, 'block') }
    at += size
    return block
  })
  if (at !== indexStart) throw bad(`${indexStart - at} bytes belong to no block; several streams in one file?`)
  return { check: check.name, blocks }
}

export const isXz = (bytes: Uint8Array): boolean => MAGIC.every((byte, index) => bytes[index] === byte)
