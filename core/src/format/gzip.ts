import { createRequire } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import { ZosError } from '../error.js'
import type { Chunks } from './zstd.js'

export interface GzipSettings {
  /** 1 to 9, as `gzip -1` to `gzip -9`. */
  readonly level: number
}

/** Bytes of input given to the encoder between two turns of the event loop: some 20 ms of work. */
const PIECE = 64 * 1024

/** Names the encoder for cache keys: other versions may give other bytes. */
export const gzipIdentity = (): string => {
  const { version } = createRequire(import.meta.url)('pako/package.json') as { version: string }
  return `pako ${version}`
}

/**
 * Compresses into one gzip member without name or time. Node's own deflate is not used: its bytes vary with the CPU.
 * These are those of zlib at the same level. Throws `GZIP_SETTINGS`.
 */
export async function* compressGzip(
  chunks: Chunks,
  { level }: GzipSettings,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!Number.isInteger(level) || level < 1 || level > 9) {
    throw new ZosError('GZIP_SETTINGS', `gzip level ${level}; expected a whole number from 1 to 9`)
  }
  const { Deflate } = await import('pako')
  const output: Uint8Array[] = []
  const encoder = new Deflate({ gzip: true, level, legacyHash: true, chunkSize: 64 * 1024 })
  encoder.onData = (bytes) => output.push(bytes)
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      encoder.push(chunk.subarray(at, at + PIECE), false)
      yield* output.splice(0)
      await turn()
    }
  }
  encoder.push(new Uint8Array(0), true)
  if (encoder.err) throw new ZosError('GZIP_ENCODER', `deflate failed: ${encoder.msg}`)
  yield* output
}
