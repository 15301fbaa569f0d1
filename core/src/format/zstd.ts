import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import type * as Binding from 'zstd-napi/binding.js'
import { ZosError } from '../error.js'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export interface ZstdSettings {
  /** 1 to 19: the levels that `zstd` takes without --ultra. At 19 the kernel needs 8 MiB to unpack. */
  readonly level: number
}

export interface ZstdLimits {
  /** How errors name the input. */
  readonly name?: string
  /** Bytes of output; 16 GiB unless told. */
  readonly outputBytes?: number
}

/** Bytes of input given to the encoder between two turns of the event loop. */
const PIECE = 128 * 1024
/** The window that a frame may ask for, as a power of two: 128 MiB, as `zstd --ultra -22` and the kernel have it. */
const WINDOW_LOG = 27
/** Threads of the encoder. The bytes are the same for one or more of them, and others for none. */
const WORKERS = 2

// Loaded on use: a build without zstd does not pay for the native library.
const require = createRequire(import.meta.url)
const load = (): typeof Binding => require('zstd-napi/binding.js') as typeof Binding

/** Names the encoder for cache keys: other versions may give other bytes. */
export const zstdIdentity = (): string => {
  const { version } = require('zstd-napi/package.json') as { version: string }
  return `zstd-napi ${version}, libzstd ${load().versionString()}`
}

/**
 * Compresses into one frame with a checksum; two threads work beside the caller's. Equal content and settings give
 * equal bytes, however the content is cut into chunks. Throws `ZSTD_SETTINGS`.
 */
export async function* compressZstd(
  chunks: Chunks,
  { level }: ZstdSettings,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!Number.isInteger(level) || level < 1 || level > 19) {
    throw new ZosError('ZSTD_SETTINGS', `zstd level ${level}; expected a whole number from 1 to 19`)
  }
  const zstd = load()
  const encoder = new zstd.CCtx()
  encoder.setParameter(zstd.CParameter.compressionLevel, level)
  encoder.setParameter(zstd.CParameter.checksumFlag, 1)
  encoder.setParameter(zstd.CParameter.nbWorkers, WORKERS)
  const room = Buffer.allocUnsafe(zstd.cStreamOutSize())
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + PIECE)
      const [, produced, consumed] = encoder.compressStream2(room, piece, zstd.EndDirective.continue)
      at += consumed
      if (produced > 0) yield Uint8Array.from(room.subarray(0, produced))
      await turn()
    }
  }
  for (let left = 1; left > 0; await turn()) {
    const [remaining, produced] = encoder.compressStream2(room, new Uint8Array(0), zstd.EndDirective.end)
    left = remaining
    if (produced > 0) yield Uint8Array.from(room.subarray(0, produced))
  }
}

/**
 * Decompresses as it streams; several frames in a row give their contents in a row. Throws `DECOMPRESS_LIMIT` for more
 * output than allowed, `DECOMPRESS_CORRUPT` for damaged or cut-off input and for a window above 128 MiB.
 */
export async function* decompressZstd(
  chunks: Chunks,
  limits: ZstdLimits = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { name = 'zstd input', outputBytes = 16 * 1024 ** 3 } = limits
  const zstd = load()
  const decoder = new zstd.DCtx()
  decoder.setParameter(zstd.DParameter.windowLogMax, WINDOW_LOG)
  let total = 0
  let expected = 1
  for await (const chunk of chunks) {
    let full = false
    for (let at = 0; at < chunk.length || full; ) {
      const room = Buffer.allocUnsafe(zstd.dStreamOutSize())
      const [next, produced, consumed] = step(decoder, room, chunk.subarray(at), name)
      expected = next
      at += consumed
      full = produced === room.length && next !== 0
      total += produced
      if (total > outputBytes) {
        throw new ZosError('DECOMPRESS_LIMIT', `${name} gives more than ${outputBytes} bytes`, {
          hint: 'such input is made to fill memory or disk',
        })
      }
      if (produced > 0) yield room.subarray(0, produced)
      else if (at === chunk.length) break
      else if (consumed === 0) throw corrupt(name, 'the decoder takes no more of it')
    }
  }
  if (expected !== 0) throw corrupt(name, 'it ends inside a frame')
}

const step = (decoder: Binding.DCtx, room: Uint8Array, input: Uint8Array, name: string): [number, number, number] => {
  try {
    return decoder.decompressStream(room, input)
  } catch (error) {
    throw corrupt(name, error instanceof Error ? error.message : String(error), error)
  }
}

const corrupt = (name: string, reason: string, cause?: unknown): ZosError =>
  new ZosError('DECOMPRESS_CORRUPT', `${name} cannot be decompressed (zstd): ${reason}`, {
    cause,
    hint: 'it is damaged, cut off, or compressed in another way',
  })
