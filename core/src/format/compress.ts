import { compressGzip, gzipIdentity } from './gzip.js'
import { type Chunks, compressZstd, zstdIdentity } from './zstd.js'

/** How a whole archive is compressed as one stream. For xz there is `encodeXzBlock`: its blocks are remembered. */
export type StreamCompression =
  | { readonly kind: 'none' }
  | { readonly kind: 'gzip'; readonly level: number }
  | { readonly kind: 'zstd'; readonly level: number }

/** Compresses chunks as they come; the same bytes for the same content, settings and `compressionIdentity`. */
export async function* compress(
  compression: StreamCompression,
  chunks: Chunks,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression.kind === 'gzip') yield* compressGzip(chunks, compression)
  else if (compression.kind === 'zstd') yield* compressZstd(chunks, compression)
  else yield* chunks
}

/** Names the encoder behind a kind, for cache keys. */
export const compressionIdentity = (kind: StreamCompression['kind']): string =>
  kind === 'gzip' ? gzipIdentity() : kind === 'zstd' ? zstdIdentity() : 'none'
