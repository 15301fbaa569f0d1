import { ZosError } from '@zos/core'

/** One paragraph of a control file: its fields in the order of the text. */
export interface Stanza {
  /** Line of its first field, from 1. */
  readonly line: number
  /**
   * Values by field name. A value has no space around its first line; each further line follows a newline, without the
   * one blank that marks it as a continuation.
   */
  readonly fields: ReadonlyMap<string, string>
}

export interface Deb822Options {
  /** Named in errors. */
  readonly file: string
  /** Only these fields are kept, under this spelling. All, as they are spelled in the text, when left out. */
  readonly fields?: readonly string[]
  /** Lines that begin with `#` are comments, as in apt's `.sources` files. */
  readonly comments?: boolean
}

const limits = { bytes: 256 * 1024 * 1024, stanza: 16 * 1024 * 1024, stanzas: 1_000_000, name: 128 }

const outsideText = /[^\t\n\r\x20-\x7e]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what may not stand in a control file
const control = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a control file (deb822(5)) in pieces of any size; what is whole so far comes back from every call. */
export class Deb822Reader {
  readonly #file: string
  readonly #comments: boolean
  readonly #wanted: ReadonlyMap<string, string> | undefined
  /** What a field name, as spelled in the text, is kept under; `null` for one that is not wanted. */
  readonly #names = new Map<string, string | null>()
  #carry = ''
  #line = 1
  #bytes = 0
  #stanzas = 0

  constructor({ file, fields, comments = false }: Deb822Options) {
    this.#file = file
    this.#comments = comments
    this.#wanted = fields && new Map(fields.map((name) => [name.toLowerCase(), name]))
  }

  /** Throws `DEBIAN_CONTROL` naming file and line. */
  push(chunk: Uint8Array): Stanza[] {
    this.#bytes += chunk.length
    if (this.#bytes > limits.bytes) throw this.#wrong(this.#line, `the file is larger than ${limits.bytes} bytes`)
    // One byte a character: four times faster than UTF-8, and only values with such bytes need decoding at all.
    const text = this.#carry + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')
    const end = text.lastIndexOf('\n\n')
    this.#carry = end < 0 ? text : text.slice(end + 2)
    if (this.#carry.length > limits.stanza)
      throw this.#wrong(this.#line, `a paragraph is larger than ${limits.stanza} bytes`)
    return end < 0 ? [] : this.#read(text.slice(0, end + 2))
  }

  end(): Stanza[] {
    const rest = this.#carry
    this.#carry = ''
    return this.#read(rest)
  }

  #read(text: string): Stanza[] {
    const found: Stanza[] = []
    let fields = new Map<string, string>()
    let first = 0
    let kept: string | null | undefined
    let position = 0
    while (position < text.length) {
      const newline = text.indexOf('\n', position)
      const end = newline < 0 ? text.length : newline
      const code = text.charCodeAt(position)
      if (end === position || isBlank(text, position, end)) {
        if (first > 0) found.push(this.#stanza(first, fields))
        fields = new Map()
        first = 0
        kept = undefined
      } else if (code === 32 || code === 9) {
        if (kept === undefined) throw this.#wrong(this.#line, 'a continuation line follows no field')
        if (kept !== null) {
          const more = this.#decode(text.slice(position + 1, end).trimEnd())
          fields.set(kept, `${fields.get(kept)}\n${more}`)
        }
      } else if (code !== 35 || !this.#comments) {
        const colon = text.indexOf(':', position)
        if (colon < 0 || colon >= end)
          throw this.#wrong(this.#line, `'${text.slice(position, Math.min(end, position + 60))}' is no 'Name: value'`)
        kept = this.#name(text.slice(position, colon))
        if (first === 0) first = this.#line
        if (kept !== null) {
          if (fields.has(kept) || (this.#wanted === undefined && hasAnyCase(fields, kept)))
            throw this.#wrong(this.#line, `the field ${kept} is there twice`)
          fields.set(kept, this.#decode(text.slice(colon + 1, end).trim()))
        }
      }
      this.#line++
      position = end + 1
    }
    if (first > 0) found.push(this.#stanza(first, fields))
    return found
  }

  #stanza(line: number, fields: Map<string, string>): Stanza {
    if (++this.#stanzas > limits.stanzas) throw this.#wrong(line, `there are more than ${limits.stanzas} paragraphs`)
    return { line, fields }
  }

  #name(spelled: string): string | null {
    const known = this.#names.get(spelled)
    if (known !== undefined) return known
    if (spelled.length > limits.name || !/^[!-,.-9;-~][!-9;-~]*$/.test(spelled))
      throw this.#wrong(this.#line, `'${spelled.slice(0, 60)}' is no field name`)
    const kept = this.#wanted ? (this.#wanted.get(spelled.toLowerCase()) ?? null) : spelled
    // Bounded: a file with a new name on every line must not fill the memory.
    if (this.#names.size < 10_000) this.#names.set(spelled, kept)
    return kept
  }

  #decode(value: string): string {
    if (!outsideText.test(value)) return value
    if (control.test(value)) throw this.#wrong(this.#line, 'the value has a control character')
    try {
      return utf8.decode(Buffer.from(value, 'latin1'))
    } catch (cause) {
      throw this.#wrong(this.#line, 'the value is not UTF-8', cause)
    }
  }

  #wrong(line: number, what: string, cause?: unknown): ZosError {
    return new ZosError('DEBIAN_CONTROL', `${this.#file}:${line}: ${what}`, { cause })
  }
}

const isBlank = (text: string, from: number, to: number): boolean => {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (code !== 32 && code !== 9 && code !== 13) return false
  }
  return true
}

const hasAnyCase = (fields: ReadonlyMap<string, string>, name: string): boolean => {
  const lower = name.toLowerCase()
  for (const known of fields.keys()) if (known.toLowerCase() === lower) return true
  return false
}

/** All paragraphs of a control file. Throws `DEBIAN_CONTROL` naming file and line. */
export const parseDeb822 = (data: Uint8Array | string, options: Deb822Options): Stanza[] => {
  const reader = new Deb822Reader(options)
  const whole = reader.push(typeof data === 'string' ? Buffer.from(data) : data)
  return [...whole, ...reader.end()]
}

/** The value of a field, whatever its spelling in the text. */
export const fieldOf = (stanza: Stanza, name: string): string | undefined => {
  const exact = stanza.fields.get(name)
  if (exact !== undefined) return exact
  const lower = name.toLowerCase()
  for (const [known, value] of stanza.fields) if (known.toLowerCase() === lower) return value
  return undefined
}

/**
 * One paragraph as text, ending with a newline; reads back as it was given.
 * Throws `DEBIAN_CONTROL` for a value with a blank line, which would end the paragraph (write ` .`).
 */
export const formatStanza = (fields: Iterable<readonly [string, string]>): string => {
  let text = ''
  for (const [name, value] of fields) {
    const [first = '', ...more] = value.split('\n')
    text += first === '' ? `${name}:` : `${name}: ${first}`
    for (const line of more) {
      if (line.trim() === '') throw new ZosError('DEBIAN_CONTROL', `the value of ${name} has a blank line`)
      text += `\n ${line}`
    }
    text += '\n'
  }
  return text
}
