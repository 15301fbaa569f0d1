/** Looks for a text in a stream of bytes, also where it lies across two chunks. */
export class TextWatch {
  readonly #needle: Buffer
  #tail: Buffer = Buffer.alloc(0)
  #found = false

  /** `text` is looked for as UTF-8; an empty one is found at once. */
  constructor(text: string) {
    this.#needle = Buffer.from(text)
    this.#found = this.#needle.length === 0
  }

  get found(): boolean {
    return this.#found
  }

  /** Whether the text has been seen, up to and with this chunk. */
  push(chunk: Uint8Array): boolean {
    if (this.#found) return true
    const bytes = Buffer.concat([this.#tail, chunk])
    this.#found = bytes.includes(this.#needle)
    this.#tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - this.#needle.length + 1)))
    return this.#found
  }
}

/** Escape sequences of terminals (colours, cursor), and control characters other than tab and line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const escapes = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])|[\u0000-\u0008\u000b-\u001f\u007f]/g

/** The last lines of a console, for an error: no escapes, no empty lines. */
export const lastLines = (text: string, count: number): string[] =>
  text
    .replaceAll(escapes, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count)

/** Keeps the end of a stream, at most `limit` bytes. */
export class Tail {
  #bytes: Buffer = Buffer.alloc(0)

  constructor(private readonly limit: number) {}

  push(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.#bytes, chunk])
    this.#bytes = Buffer.from(bytes.subarray(Math.max(0, bytes.length - this.limit)))
  }

  get text(): string {
    return this.#bytes.toString('utf8')
  }
}
