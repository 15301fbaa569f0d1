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
