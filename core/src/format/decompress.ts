import { createRequire } from 'node:module'
import { type Duplex, pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { ZosError } from '../error.js'
import { decompressZstd } from './zstd.js'

export type Compression = 'gz' | 'xz' | 'zst' | 'none'

export interface DecompressLimits {
  /** How errors name the input. */
  readonly name?: string
  /** Bytes of output; 16 GiB unless told. */
  readonly outputBytes?: number
  /** Bytes of output for one of input, judged beyond the first 64 MiB of output; 1000 unless told. */
  readonly ratio?: number
  /** Memory of the xz decoder, bytes; 256 MiB unless told (level -9 takes 65). */
  readonly memory?: number
}

const mebibyte = 1024 ** 2
const freeOutput = 64 * mebibyte

/**
 * Decompresses as it streams; several gzip members, xz streams or zstd frames
 * in a row give their contents in a row. Throws
 * `DECOMPRESS_LIMIT` for more output than allowed, `DECOMPRESS_CORRUPT` for damaged or cut-off input.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  compression: Compression,
  limits: DecompressLimits = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { name = `${compression} input`, outputBytes = 16 * 1024 ** 3, ratio = 1000, memory = 256 * mebibyte } = limits
  const input = new CountedInput(chunks)
  let output = 0
  for await (const bytes of decoded(input, compression, memory, name)) {
    output += bytes.length
    if (output > outputBytes) throw limitError(name, `gives more than ${outputBytes} bytes`)
    if (output > freeOutput && output > ratio * input.bytes) {
      throw limitError(name, `gives ${output} bytes for its first ${input.bytes}; expected at most ${ratio} for one`)
    }
    yield bytes
  }
}

const limitError = (name: string, problem: string): ZosError =>
  new ZosError('DECOMPRESS_LIMIT', `${name} ${problem}`, { hint: 'such input is made to fill memory or disk' })

/** Counts what is taken, and keeps errors of the source apart from those of the decoder. */
class CountedInput implements AsyncIterable<Uint8Array> {
  bytes = 0
  failed: { readonly error: unknown } | undefined
  readonly #chunks: AsyncIterable<Uint8Array>

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of this.#chunks) {
        this.bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      this.failed = { error }
      throw error
    }
  }
}

async function* decoded(input: CountedInput, compression: Compression, memory: number, name: string) {
  try {
    if (compression === 'none') yield* input
    else if (compression === 'zst') yield* decompressZstd(input, { name, outputBytes: Number.POSITIVE_INFINITY })
    else if (compression === 'gz') yield* gunzip(input)
    else yield* unxz(input, memory)
  } catch (error) {
    if (input.failed) throw input.failed.error
    if (error instanceof ZosError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ZosError('DECOMPRESS_CORRUPT', `${name} cannot be decompressed (${compression}): ${reason}`, {
      cause: error,
      hint: 'it is damaged, cut off, or compressed in another way',
    })
  }
}

async function* gunzip(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = createGunzip({ chunkSize: 256 * 1024 })
  // The callback is there because pipeline wants one: the loop below throws the error itself.
  pipeline(Readable.from(input, { objectMode: true, highWaterMark: 1 }), decoder, () => undefined)
  for await (const bytes of decoder) yield bytes as Uint8Array
}

interface Lzma {
  createStream(coder: 'streamDecoder', options: { memlimit: number; flags: number }): Duplex
}

/** LZMA_CONCATENATED of liblzma's lzma/container.h: read on after the end of a stream, until the input ends. */
const concatenated = 0x08

/**
 * The binding pushes all that a piece of input gives, however much: a piece of 4 KiB of xz is at most some 30 MB, and
 * the next is written only once those are taken.
 */
const pieceBytes = 4096

async function* unxz(input: AsyncIterable<Uint8Array>, memory: number): AsyncGenerator<Uint8Array, void, undefined> {
  // Loaded here: a build that has nothing to unpack does not pay for the native library.
  const lzma = createRequire(import.meta.url)('lzma-native') as Lzma
  const decoder = lzma.createStream('streamDecoder', { memlimit: memory, flags: concatenated })
  let output: Uint8Array[] = []
  let failure: { readonly error: unknown } | undefined
  let wake = (): void => undefined
  decoder.on('data', (bytes: Uint8Array) => output.push(bytes))
  // After an error the binding never calls back for what was written.
  decoder.on('error', (error) => {
    failure ??= { error }
    wake()
  })
  const step = async (start: (done: () => void) => void): Promise<Uint8Array[]> => {
    if (!failure) {
      await new Promise<void>((resolve) => {
        wake = resolve
        start(resolve)
      })
    }
    if (failure) throw failure.error
    const taken = output
    output = []
    return taken
  }
  try {
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        yield* await step((done) => decoder.write(chunk.subarray(at, at + pieceBytes), () => done()))
      }
    }
    yield* await step((done) => {
      decoder.once('end', done)
      decoder.end()
    })
  } finally {
    decoder.destroy()
  }
}
