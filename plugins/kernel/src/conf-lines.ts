import { ZosError } from '@zos/core'

/** One line that says something: its number from 1, and its text without comment and outer blanks. */
export interface ConfLine {
  readonly number: number
  readonly text: string
}

export interface ConfSource {
  /** The file as people know it; part of every error. */
  readonly file: string
  /** Code of the error for a file that is too large. */
  readonly code: string
  /** Longest text taken, in UTF-16 units. */
  readonly limit: number
}

/** Lines of a `#`-commented list, blank ones left out. A text above `limit` is an error. */
export const confLines = (text: string, { file, code, limit }: ConfSource): ConfLine[] => {
  if (text.length > limit) {
    throw new ZosError(code, `${file} has ${text.length} characters, more than the ${limit} that are read`)
  }
  const lines: ConfLine[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const hash = raw.indexOf('#')
    const line = (hash < 0 ? raw : raw.slice(0, hash)).trim()
    if (line !== '') lines.push({ number: index + 1, text: line })
  }
  return lines
}
