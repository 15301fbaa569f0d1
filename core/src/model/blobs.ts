import type { Blob } from './entry.js'

/** Reads content by digest. A blob that is missing or has another size throws `BLOB_MISSING`. */
export interface BlobReader {
  /** The whole content; for small files. */
  read(blob: Blob): Promise<Uint8Array>
  /** The content as chunks, for files of any size. */
  stream(blob: Blob): AsyncIterable<Uint8Array>
}

/** Takes content in, and gives its digest and size back. Equal content is kept once. */
export interface BlobWriter {
  put(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<Blob>
}

export type Blobs = BlobReader & BlobWriter

/**
 * The same contents until the signal: from then on every call, and the next chunk of what is being read, throws its
 * reason. A step that compresses for minutes ends with the build.
 */
export const endingBlobs = (blobs: Blobs, signal: AbortSignal): Blobs => ({
  read: async (blob) => {
    signal.throwIfAborted()
    return blobs.read(blob)
  },
  async *stream(blob) {
    for await (const chunk of blobs.stream(blob)) {
      signal.throwIfAborted()
      yield chunk
    }
  },
  put: async (content) => {
    signal.throwIfAborted()
    return blobs.put(content)
  },
})
