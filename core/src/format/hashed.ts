import type { Hash } from 'node:crypto'

/** The same chunks; the hash has seen all of them once the last was taken. */
export async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: Hash): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}
