// Where plain bytes lie in a compressed file: pairs of positions, between which both grow evenly.
import { ZosError } from '../error.js'
import { type Compression, decompress } from './decompress.js'
import { parseXz } from './xz.js'

/** Up to so many plain bytes, so many bytes of the compressed file, what stands in front of them included. */
export interface Position {
  readonly plain: number
  readonly packed: number
}

const bad = (what: string): ZosError =>
  new ZosError('XZ_FORMAT', `xz stream: ${what}`, { hint: 'test the file with: xz -t FILE' })

/** Bytes of the stream header in front of the first block. */
const streamHeader = 12

/**
 * Positions after each LZMA2 chunk: its header states both of its sizes, so nothing is decoded. A chunk has at most 64
 * KiB of compressed and 2 MiB of plain bytes. Format: the XZ file format, 3.1, and xz's src/liblzma/lzma/lzma2_decoder.c.
 */
export const xzPositions = (bytes: Uint8Array): Position[] => {
  const positions: Position[] = []
  let plain = 0
  let start = streamHeader
  for (const { bytes: block, filters } of parseXz(bytes).blocks) {
    if (filters.length !== 1 || filters[0] !== 0x21) throw bad('filters other than LZMA2, whose sizes are not known')
    let at = (block[0]! + 1) * 4
    for (let control = block[at]!; control !== 0; control = block[at]!) {
      if (at + 6 > block.length) throw bad('a chunk is cut off')
      const low = (block[at + 1]! << 8) | block[at + 2]!
      if (control >= 0x80) {
        plain += (((control & 0x1f) << 16) | low) + 1
        at += (control >= 0xc0 ? 6 : 5) + ((block[at + 3]! << 8) | block[at + 4]!) + 1
      } else {
        plain += low + 1
        at += 3 + low + 1
      }
      if (at >= block.length) throw bad('a chunk is cut off')
      positions.push({ plain, packed: start + at })
    }
    start += block.length
  }
  return positions
}

/** Bytes that a decoder gets at once where its answers are watched. */
const pieceBytes = 4096

/** Positions as a decoder shows them: how much has come out when so much has gone in. */
const watched = async (bytes: Uint8Array, compression: Compression): Promise<Position[]> => {
  let packed = 0
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      packed = Math.min(at + pieceBytes, bytes.length)
      yield bytes.subarray(at, packed)
    }
  }
  const positions: Position[] = []
  let plain = 0
  for await (const chunk of decompress(pieces(), compression)) {
    plain += chunk.length
    positions.push({ plain, packed })
  }
  return positions
}

/** Positions of a whole compressed file, in their order; of xz exact to a chunk, of gzip and zstd to some 128 KiB plain. */
export const packedPositions = async (bytes: Uint8Array, compression: Compression): Promise<Position[]> =>
  compression === 'xz' ? xzPositions(bytes) : watched(bytes, compression)

/**
 * Gives how many compressed bytes lie before a plain position. Asked in ascending order; `size` is that of the compressed
 * file, so that what is asked for between the start and the end adds up to it.
 */
export const packedBefore = (positions: readonly Position[], size: number): ((plain: number) => number) => {
  const end = positions.at(-1)?.plain ?? 0
  let index = 0
  return (plain) => {
    if (plain >= end) return size
    while (index < positions.length - 1 && positions[index]!.plain <= plain) index++
    const from = index === 0 ? { plain: 0, packed: 0 } : positions[index - 1]!
    const to = positions[index]!
    const part = (plain - from.plain) / Math.max(1, to.plain - from.plain)
    return Math.round(from.packed + part * (to.packed - from.packed))
  }
}
