// A parsed index as flat arrays: what is remembered of it, and read again without parsing a word.
import { readDependency } from '../format/dependency.js'
import { type IndexEntry, indexEntryText, parseIndex } from '../format/index-text.js'

/** Takes one word of a package: the number of its name, its marks, and its version or checksum. */
export type TakeWord<T> = (name: number, marks: number, text: string | undefined) => T

/** What a word says beside name and version. `raw`: no plain dependency, `text` is the whole word. */
export const mark = { conflict: 1, fuzzy: 2, checksum: 4, raw: 8, relationShift: 4 } as const

/** Numbers of a package's row, and of a word's. */
const row = { name: 0, version: 1, checksum: 2, size: 3, priority: 4, depends: 5, provides: 6, installIf: 7, entry: 8 }
const rowLength = 9
const wordLength = 3
/** Numbers before the rows: how many packages, names and words there are, and the bytes of all texts. */
const headLength = 4

const noWords: readonly string[] = []
const wordsIn = (text: string): readonly string[] =>
  text === '' ? noWords : text.split(' ').filter((word) => word !== '')

/** Gives each text one number. */
class Numbers {
  readonly texts: string[] = []
  readonly #known = new Map<string, number>()

  of(text: string): number {
    let number = this.#known.get(text)
    if (number === undefined) {
      number = this.texts.push(text) - 1
      this.#known.set(text, number)
    }
    return number
  }
}

/** Lays out the packages of an index. Names get their numbers in the order in which apk reads them. */
export const encodeIndex = (entries: readonly IndexEntry[]): Uint8Array => {
  const [names, texts] = [new Numbers(), new Numbers()]
  const rows: number[] = []
  const words: number[] = []
  const lines: string[] = []
  let at = 0
  const need = (word: string): void => {
    const found = readDependency(word)
    if (!found || found.tag !== undefined)
      return void words.push(names.of(found?.name ?? word), mark.raw, texts.of(word))
    const { name, conflict, fuzzy, checksum, relations, version } = found
    const marks =
      (conflict ? mark.conflict : 0) |
      (fuzzy ? mark.fuzzy : 0) |
      (checksum ? mark.checksum : 0) |
      (relations << mark.relationShift)
    words.push(names.of(name), marks, version === undefined ? -1 : texts.of(version))
  }
  for (const entry of entries) {
    const begin = words.length / wordLength
    rows.push(names.of(entry.name), texts.of(entry.version), texts.of(entry.checksum))
    rows.push(entry.installedSize > 0 ? 1 : 0, Math.min(entry.providerPriority, 0x7fff_ffff), begin)
    for (const word of wordsIn(entry.depends)) need(word)
    rows.push(words.length / wordLength)
    for (const word of wordsIn(entry.provides)) {
      const equals = word.indexOf('=')
      const version = equals < 0 ? -1 : texts.of(word.slice(equals + 1))
      words.push(names.of(equals < 0 ? word : word.slice(0, equals)), 0, version)
    }
    rows.push(words.length / wordLength)
    for (const word of wordsIn(entry.installIf)) need(word)
    const text = indexEntryText(entry)
    rows.push(at)
    at += Buffer.byteLength(text)
    lines.push(text)
  }
  // A row of ends, so that each part ends where the next begins.
  rows.push(0, 0, 0, 0, 0, words.length / wordLength, 0, 0, at)
  const strings = Buffer.from([...names.texts, ...texts.texts].join('\n'))
  const head = [entries.length, names.texts.length, words.length / wordLength, strings.length]
  const numbers = Int32Array.from([...head, ...rows, ...words])
  return Buffer.concat([Buffer.from(numbers.buffer), strings, Buffer.from(lines.join(''))])
}

/** An index that was laid out, its words and entries read where they are asked for. */
export class IndexTable {
  readonly count: number
  readonly names: readonly string[]
  readonly #numbers: Int32Array
  readonly #texts: readonly string[]
  readonly #words: number
  readonly #entries: Uint8Array

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const [count, names, words, stringBytes] = [0, 4, 8, 12].map((at) => view.getInt32(at, true)) as [
      number,
      number,
      number,
      number,
    ]
    const length = headLength + (count + 1) * rowLength + words * wordLength
    // A copy, since numbers have to lie at a multiple of their size.
    this.#numbers = new Int32Array(new Uint8Array(bytes.subarray(0, length * 4)).buffer)
    this.#words = headLength + (count + 1) * rowLength
    const strings = Buffer.from(bytes.buffer, bytes.byteOffset + length * 4, stringBytes)
      .toString('utf8')
      .split('\n')
    this.count = count
    this.names = strings.slice(0, names)
    this.#texts = strings.slice(names)
    this.#entries = bytes.subarray(length * 4 + stringBytes)
  }

  static of(entries: readonly IndexEntry[]): IndexTable {
    return new IndexTable(encodeIndex(entries))
  }

  #number(index: number, field: number): number {
    return this.#numbers[headLength + index * rowLength + field]!
  }

  name(index: number): number {
    return this.#number(index, row.name)
  }
  version(index: number): string {
    return this.#texts[this.#number(index, row.version)]!
  }
  checksum(index: number): string {
    return this.#texts[this.#number(index, row.checksum)]!
  }
  hasFiles(index: number): boolean {
    return this.#number(index, row.size) > 0
  }
  providerPriority(index: number): number {
    return this.#number(index, row.priority)
  }

  /** It has an `install_if`. */
  waits(index: number): boolean {
    return this.#number(index, row.installIf) < this.#number(index + 1, row.depends)
  }

  depends<T>(index: number, take: TakeWord<T>): T[] {
    return this.#wordsIn(this.#number(index, row.depends), this.#number(index, row.provides), take)
  }
  provides<T>(index: number, take: TakeWord<T>): T[] {
    return this.#wordsIn(this.#number(index, row.provides), this.#number(index, row.installIf), take)
  }
  installIf<T>(index: number, take: TakeWord<T>): T[] {
    return this.#wordsIn(this.#number(index, row.installIf), this.#number(index + 1, row.depends), take)
  }

  #wordsIn<T>(from: number, to: number, take: TakeWord<T>): T[] {
    const found: T[] = []
    for (let at = this.#words + from * wordLength; at < this.#words + to * wordLength; at += wordLength) {
      const text = this.#numbers[at + 2]!
      found.push(take(this.#numbers[at]!, this.#numbers[at + 1]!, text < 0 ? undefined : this.#texts[text]))
    }
    return found
  }

  /** All that the index says of a package. */
  entry(index: number): IndexEntry {
    const lines = this.#entries.subarray(this.#number(index, row.entry), this.#number(index + 1, row.entry))
    return parseIndex(Buffer.from(lines).toString('utf8'), 'index')[0]!
  }
}
