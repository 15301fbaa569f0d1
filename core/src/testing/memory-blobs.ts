import type { Blobs } from '../model/blobs.js'
import { sha256 } from '../model/canonical.js'
import type { Blob } from '../model/entry.js'

/** Contents in memory, by digest. */
export class MemoryBlobs implements Blobs {
  readonly #contents = new Map<string, Uint8Array>()

  /** Takes content in at once. */
  add(content: string | Uint8Array): Blob {
    const bytes = typeof content === 'string' ? Buffer.from(content) : Uint8Array.from(content)
    const digest = sha256(bytes)
    this.#contents.set(digest, bytes)
    return { sha256: digest, size: bytes.length }
  }

  /** The content; an `Error` for a blob that was never taken in. */
  get(blob: Blob): Uint8Array {
    const bytes = this.#contents.get(blob.sha256)
    if (!bytes) throw new Error(`no content ${blob.sha256}`)
    return bytes
  }

  async put(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<Blob> {
    if (typeof content === 'string' || content instanceof Uint8Array) return this.add(content)
    const parts: Uint8Array[] = []
    for await (const part of content) parts.push(Uint8Array.from(part))
    return this.add(Buffer.concat(parts))
  }

  async read(blob: Blob): Promise<Uint8Array> {
    return this.get(blob)
  }

  async *stream(blob: Blob): AsyncGenerator<Uint8Array> {
    yield this.get(blob)
  }

  async text(blob: Blob): Promise<string> {
    return Buffer.from(this.get(blob)).toString('utf8')
  }
}
