import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { ZosError } from '../error.js'
import { parseXz, type XzBlock } from './xz.js'

export interface XzSettings {
  /** The level of `xz -0` to `xz -9`. */
  readonly preset: number
  /** Bytes of the dictionary, 4 KiB to 1.5 GiB, in place of the preset's own. The kernel needs as much to unpack. */
  readonly dictSize?: number
}

/** Content to compress: chunks of any length, together `size` bytes. */
export interface SizedContent {
  readonly size: number
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** Bytes of one block's content; what it is compressed to is held in memory, twice for a moment. */
export const XZ_BLOCK_LIMIT = 512 * 1024 ** 2

/** What the binding copies at once: it keeps the input of a call besides liblzma's own copy. */
const PIECE = 1024 ** 2

interface LzmaOptions {
  dictSize: number
  lc: number
  lp: number
  pb: number
  mode: number
  niceLen: number
  mf: number
  depth: number
}

/** The encoder below the binding's Node stream: that one cuts the input at every `YZ`, one thread switch each. */
interface Coder {
  bufferHandler: (output: Uint8Array | null | undefined, taken: number | undefined, error: Error | null) => void
  streamEncoder(options: {
    filters: readonly { readonly id: string; readonly options: LzmaOptions }[]
    check: number
  }): void
  /** Queues one piece of input (null: the end) and works on it in libuv's pool. */
  code(piece: Uint8Array | null, async: boolean): void
  resetUnderlying(): void
}

interface Lzma {
  readonly version: string
  versionString(): string
  readonly Stream: new () => Coder
  readonly CHECK_CRC32: number
  readonly FILTER_LZMA2: string
  readonly MODE_FAST: number
  readonly MODE_NORMAL: number
  readonly MF_HC3: number
  readonly MF_HC4: number
  readonly MF_BT4: number
}

// Loaded on use: a build that compresses nothing does not pay for the native library.
const load = (): Lzma => createRequire(import.meta.url)('lzma-native') as Lzma

/** Names the encoder for cache keys: other versions may give other bytes. */
export const xzIdentity = (): string => {
  const lzma = load()
  return `lzma-native ${lzma.version}, liblzma ${lzma.versionString()}`
}

/** Dictionary size of the presets 0 to 9, as a power of two: xz(1). */
const DICT_BITS = [18, 20, 21, 22, 22, 23, 23, 24, 25, 26]

/** Bytes of a preset's dictionary. Throws `XZ_SETTINGS` for what is no preset. */
export const presetDictionary = (preset: number): number => {
  const bits = DICT_BITS[preset]
  if (bits === undefined) {
    throw new ZosError('XZ_SETTINGS', `xz preset ${preset}; expected a whole number from 0 to 9`)
  }
  return 2 ** bits
}

/** A preset in full: the binding drops a dictionary size that stands beside a preset. Values: xz(1), `-0 ... -9`. */
const lzmaOptions = (lzma: Lzma, { preset, dictSize }: XzSettings): LzmaOptions => {
  const own = presetDictionary(preset)
  const size = dictSize ?? own
  if (!Number.isInteger(size) || size < 4096 || size > 1.5 * 1024 ** 3) {
    throw new ZosError('XZ_SETTINGS', `xz dictionary of ${size} bytes; expected 4096 to 1610612736`)
  }
  const common = { dictSize: size, lc: 3, lp: 0, pb: 2 }
  if (preset <= 3) {
    const depth = [4, 8, 24, 48][preset] ?? 48
    const niceLen = preset <= 1 ? 128 : 273
    return { ...common, mode: lzma.MODE_FAST, mf: preset === 0 ? lzma.MF_HC3 : lzma.MF_HC4, niceLen, depth }
  }
  const niceLen = preset === 4 ? 16 : preset === 5 ? 32 : 64
  return { ...common, mode: lzma.MODE_NORMAL, mf: lzma.MF_BT4, niceLen, depth: 0 }
}

/** Feeds one coder piece by piece; a call ends when its piece is taken. */
class Encoder {
  readonly output: Uint8Array[] = []
  readonly #coder: Coder

  constructor(lzma: Lzma, settings: XzSettings) {
    this.#coder = new lzma.Stream()
    // Without `threads`: the threaded encoder holds the whole block, and room for it twice again, besides its tables.
    const filters = [{ id: lzma.FILTER_LZMA2, options: lzmaOptions(lzma, settings) }]
    this.#coder.streamEncoder({ filters, check: lzma.CHECK_CRC32 })
  }

  code(piece: Uint8Array | null): Promise<void> {
    return new Promise((resolve, reject) => {
      let failure: Error | undefined
      this.#coder.bufferHandler = (output, taken, error) => {
        if (error) failure = error
        else if (output) this.output.push(output)
        else if (taken !== undefined && failure) reject(failure)
        else if (taken !== undefined) resolve()
      }
      this.#coder.code(piece, true)
    })
  }

  close(): void {
    this.#coder.resetUnderlying()
  }
}

/**
 * Compresses content into one Block with check CRC32 and filter LZMA2, ready for `joinBlocks`. Works in libuv's pool, so
 * several run side by side. Equal content and settings give equal bytes, however the content is cut into chunks. Memory:
 * about twelve times the dictionary (94 MiB at preset 6), whatever the size of the block. Throws `XZ_SETTINGS`;
 * `XZ_BLOCK_SIZE` for no content, more than `XZ_BLOCK_LIMIT`, or other than `size` says.
 */
export const encodeXzBlock = async (content: SizedContent, settings: XzSettings): Promise<XzBlock> => {
  const { size, chunks } = content
  if (!(size >= 1 && size <= XZ_BLOCK_LIMIT)) {
    throw new ZosError('XZ_BLOCK_SIZE', `an xz block of ${size} bytes; expected 1 to ${XZ_BLOCK_LIMIT}`)
  }
  const encoder = new Encoder(load(), settings)
  try {
    let taken = 0
    for await (const chunk of chunks) {
      taken += chunk.length
      if (taken > size) break
      for (let at = 0; at < chunk.length; at += PIECE) await encoder.code(chunk.subarray(at, at + PIECE))
    }
    if (taken !== size) {
      const found = taken > size ? 'more' : `${taken}`
      throw new ZosError('XZ_BLOCK_SIZE', `content for an xz block is ${found} bytes, ${size} were announced`)
    }
    await encoder.code(null)
  } finally {
    encoder.close()
  }
  const { blocks } = parseXz(Buffer.concat(encoder.output))
  const [block] = blocks
  if (!block || blocks.length !== 1 || block.uncompressedSize !== size) {
    throw new ZosError('XZ_ENCODER', `liblzma made ${blocks.length} blocks of ${size} bytes; expected one`)
  }
  return block
}
