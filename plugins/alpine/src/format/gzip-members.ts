import { crc32, inflateRawSync } from 'node:zlib'
import { ZosError } from '@zos/core'

/** One member of a gzip file (RFC 1952): its compressed bytes with header and trailer, and what they hold. */
export interface GzipMember {
  readonly compressed: Uint8Array
  readonly content: Uint8Array
  /** Where the member begins and ends in the file. */
  readonly start: number
  readonly end: number
}

const flag = { headerCrc: 0x02, extra: 0x04, name: 0x08, comment: 0x10, reserved: 0xe0 }
const trailerBytes = 8

const fail = (name: string, at: number, problem: string): ZosError =>
  new ZosError('GZIP_MEMBER', `${name}, byte ${at}: ${problem}`, {
    hint: 'the file is damaged, cut off, or no gzip file: fetch it again',
  })

/** Where the deflate data of the member at `start` begins. */
const headerEnd = (bytes: Uint8Array, start: number, name: string): number => {
  const isGzip = bytes[start] === 0x1f && bytes[start + 1] === 0x8b && bytes[start + 2] === 8
  if (!isGzip || start + 10 > bytes.length) throw fail(name, start, 'no gzip header')
  const flags = bytes[start + 3]!
  if (flags & flag.reserved) throw fail(name, start, 'a gzip header with unknown flags')
  let at = start + 10
  if (flags & flag.extra) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8)
  for (const field of [flag.name, flag.comment]) {
    if (!(flags & field)) continue
    const zero = bytes.indexOf(0, at)
    if (zero < 0) throw fail(name, start, 'a gzip header without an end')
    at = zero + 1
  }
  if (flags & flag.headerCrc) at += 2
  if (at > bytes.length) throw fail(name, start, 'a gzip header that is cut off')
  return at
}

/**
 * The member that begins at `start`. Throws `GZIP_MEMBER` for damage of any kind and for more than `most` bytes of
 * content: nothing is inflated beyond that.
 */
export const gzipMember = (bytes: Uint8Array, start: number, most: number, name: string): GzipMember => {
  const from = headerEnd(bytes, start, name)
  const { content, used } = inflate(bytes.subarray(from), most, (problem) => fail(name, start, problem))
  const trailer = from + used
  const end = trailer + trailerBytes
  if (end > bytes.length) throw fail(name, start, 'a gzip member without its trailer')
  const view = new DataView(bytes.buffer, bytes.byteOffset + trailer, trailerBytes)
  const isSound = view.getUint32(0, true) === crc32(content) && view.getUint32(4, true) === content.length % 2 ** 32
  if (!isSound) throw fail(name, start, 'a gzip member whose checksum or length is wrong')
  return { compressed: bytes.subarray(start, end), content, start, end }
}

const inflate = (
  deflated: Uint8Array,
  most: number,
  error: (problem: string) => ZosError,
): { content: Uint8Array; used: number } => {
  try {
    // `info` makes it give the engine too, which knows how many bytes of input the stream took.
    const options = { info: true, maxOutputLength: Math.max(most, 1) }
    const { buffer, engine } = inflateRawSync(deflated, options) as unknown as {
      buffer: Uint8Array
      engine: { bytesWritten: number }
    }
    return { content: buffer, used: engine.bytesWritten }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw error(
      code === 'ERR_BUFFER_TOO_LARGE' ? `more than ${most} bytes of content` : `cannot be inflated: ${message}`,
    )
  }
}

/** All members of a file, at most `count` of them and `most` bytes of content together. */
export const gzipMembers = (bytes: Uint8Array, count: number, most: number, name: string): GzipMember[] => {
  const members: GzipMember[] = []
  let left = most
  for (let at = 0; at < bytes.length; ) {
    if (members.length === count) throw fail(name, at, `more than ${count} gzip members`)
    const member = gzipMember(bytes, at, left, name)
    members.push(member)
    left -= member.content.length
    at = member.end
  }
  if (members.length === 0) throw fail(name, 0, 'an empty file')
  return members
}
