import { type Blob, type Blobs, sha256 } from '@zos/core'

/** Contents in memory, by digest. */
export class MemoryBlobs implements Blobs {
  readonly #contents = new Map<string, Uint8Array>()

  async put(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<Blob> {
    const parts: Uint8Array[] = []
    if (typeof content === 'string') parts.push(Buffer.from(content))
    else if (content instanceof Uint8Array) parts.push(Uint8Array.from(content))
    else for await (const part of content) parts.push(Uint8Array.from(part))
    const bytes = Buffer.concat(parts)
    const digest = sha256(bytes)
    this.#contents.set(digest, bytes)
    return { sha256: digest, size: bytes.length }
  }

  async read(blob: Blob): Promise<Uint8Array> {
    const bytes = this.#contents.get(blob.sha256)
    if (!bytes) throw new Error(`no content ${blob.sha256}`)
    return bytes
  }

  async *stream(blob: Blob): AsyncGenerator<Uint8Array> {
    yield await this.read(blob)
  }

  async text(blob: Blob): Promise<string> {
    return Buffer.from(await this.read(blob)).toString('utf8')
  }
}
