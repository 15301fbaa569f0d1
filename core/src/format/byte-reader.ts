import { Buffer } from 'node:buffer'

/** Pulls exact numbers of bytes out of chunks of any size; a chunk must not be changed after it was handed over. */
export class ByteReader {
  /** Bytes taken so far. */
  offset = 0
  #chunk: Uint8Array = new Uint8Array(0)
  #used = 0
  #done = false
  readonly #source: AsyncIterator<Uint8Array>

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]()
  }

  /** Bytes that can be taken without waiting. */
  get #ready(): number {
    return this.#chunk.length - this.#used
  }

  #take(size: number): Uint8Array {
    const bytes = this.#chunk.subarray(this.#used, this.#used + size)
    this.#used += size
    this.offset += size
    return bytes
  }

  async #fill(): Promise<boolean> {
    while (this.#ready === 0 && !this.#done) {
      const next = await this.#source.next()
      if (next.done) this.#done = true
      else {
        this.#chunk = next.value
        this.#used = 0
      }
    }
    return this.#ready > 0
  }

  /** The next bytes if they lie in the current chunk; spares the wait for the many small reads. */
  readNow(size: number): Uint8Array | undefined {
    return this.#ready >= size ? this.#take(size) : undefined
  }

  /** Exactly `size` bytes, or fewer when the source ends first. */
  async read(size: number): Promise<Uint8Array> {
    if (this.#ready >= size) return this.#take(size)
    const parts: Uint8Array[] = []
    let missing = size
    while (missing > 0 && (await this.#fill())) {
      const part = this.#take(Math.min(missing, this.#ready))
      parts.push(part)
      missing -= part.length
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  /** One to `most` bytes, as they come; `undefined` at the end of the source. */
  async some(most: number): Promise<Uint8Array | undefined> {
    return this.#ready > 0 || (await this.#fill()) ? this.#take(Math.min(most, this.#ready)) : undefined
  }

  /** Tells the source that nothing more is wanted. */
  async close(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#source.return?.()
  }
}

/**
 * The bytes of one archive member, to be read once and before the next member is asked for. What is not read is
 * skipped by the archive's reader.
 */
export class MemberContent implements AsyncIterable<Uint8Array> {
  readonly size: number
  #left: number
  #closed = false
  readonly #reader: ByteReader
  readonly #truncated: (missing: number) => Error

  constructor(reader: ByteReader, size: number, truncated: (missing: number) => Error) {
    this.#reader = reader
    this.size = size
    this.#left = size
    this.#truncated = truncated
  }

  /** All of it at once; for small members. */
  async bytes(): Promise<Uint8Array> {
    this.#open()
    const bytes = await this.#reader.read(this.#left)
    this.#left -= bytes.length
    if (this.#left > 0) throw this.#truncated(this.#left)
    return bytes
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    this.#open()
    while (this.#left > 0) {
      const bytes = await this.#reader.some(this.#left)
      if (!bytes) throw this.#truncated(this.#left)
      this.#left -= bytes.length
      yield bytes
      this.#open()
    }
  }

  /** Passes over what was not read; reading afterwards is a defect of the caller. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#left > 0) {
      const bytes = await this.#reader.some(this.#left)
      if (!bytes) throw this.#truncated(this.#left)
      this.#left -= bytes.length
    }
  }

  #open(): void {
    if (this.#closed) throw new TypeError('the content of an archive member was read after its turn')
  }
}
