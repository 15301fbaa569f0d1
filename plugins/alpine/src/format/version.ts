// Versions as apk-tools 2.x orders them (its version.c; apk-package(5)):
// digits(.digits)*[letter](_suffix[digits])*(-rdigits). What does not fit ends the comparison there.

/** What a part of a version is; a lower kind where the other version has a higher one means a newer version. */
const kind = {
  invalid: -1,
  digitOrZero: 0,
  digit: 1,
  letter: 2,
  suffix: 3,
  suffixNumber: 4,
  revision: 5,
  end: 6,
} as const
type Kind = (typeof kind)[keyof typeof kind]

const before = ['alpha', 'beta', 'pre', 'rc']
const after = ['cvs', 'svn', 'git', 'hg', 'p']
/** Digits of one number; apk keeps them in 64 bits. */
const mostDigits = 17
/** Digits that a double holds without loss. */
const exactDigits = 15

/** Values and kinds of the parts; the last kind is `end` or `invalid`. */
interface Parts {
  readonly kinds: readonly Kind[]
  readonly values: readonly (number | bigint)[]
}

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}
const isLower = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return code >= 0x61 && code <= 0x7a
}

/** Reads one version, part by part. */
class VersionReader {
  readonly kinds: Kind[] = [kind.digit]
  readonly values: (number | bigint)[] = [0]
  readonly #text: string
  #at = 0
  #kind: Kind = kind.digit

  constructor(text: string) {
    this.#text = text
    while (this.#kind !== kind.end && this.#kind !== kind.invalid) {
      this.values.push(this.#part())
      this.kinds.push(this.#kind)
    }
  }

  #part(): number | bigint {
    if (this.#at >= this.#text.length) {
      this.#kind = kind.end
      return 0
    }
    switch (this.#kind) {
      case kind.digitOrZero: {
        if (this.#text[this.#at] !== '0') return this.#number()
        // Zeros after a dot make a fraction: each one beyond the first counts below any number.
        let zeros = 0
        while (this.#text[this.#at + zeros + 1] === '0') zeros++
        this.#at += zeros
        this.#kind = kind.digit
        return -zeros
      }
      case kind.digit:
      case kind.suffixNumber:
      case kind.revision:
        return this.#number()
      case kind.letter:
        return this.#taken(1, this.#text.charCodeAt(this.#at))
      default:
        return this.#suffix()
    }
  }

  #number(): number | bigint {
    let end = this.#at
    while (isDigit(this.#text, end)) end++
    const digits = this.#text.slice(this.#at, end)
    if (digits.length > mostDigits) return this.#invalid()
    return this.#taken(digits.length, digits.length > exactDigits ? BigInt(digits) : Number(digits))
  }

  #suffix(): number | bigint {
    const early = before.findIndex((name) => this.#text.startsWith(name, this.#at))
    if (early >= 0) return this.#taken(before[early]!.length, early - before.length)
    const late = after.findIndex((name) => this.#text.startsWith(name, this.#at))
    return late >= 0 ? this.#taken(after[late]!.length, late) : this.#invalid()
  }

  #invalid(): number {
    this.#kind = kind.invalid
    return -1
  }

  #taken(length: number, value: number | bigint): number | bigint {
    this.#at += length
    this.#kind = this.#at >= this.#text.length ? kind.end : this.#next()
    return value
  }

  /** The kind of the next part; its first character is passed over where it only says the kind. */
  #next(): Kind {
    const [text, was] = [this.#text, this.#kind]
    if ((was === kind.digit || was === kind.digitOrZero) && isLower(text, this.#at)) return kind.letter
    if (was === kind.letter && isDigit(text, this.#at)) return kind.digit
    if (was === kind.suffix && isDigit(text, this.#at)) return kind.suffixNumber
    const character = text[this.#at++]
    let next: Kind = kind.invalid
    if (character === '.') next = kind.digitOrZero
    else if (character === '_') next = kind.suffix
    else if (character === '-' && text[this.#at] === 'r') {
      this.#at++
      next = kind.revision
    }
    const goesBack =
      (next === kind.digitOrZero && was === kind.digit) || (next === kind.suffix && was === kind.suffixNumber)
    return next >= was || goesBack ? next : kind.invalid
  }
}

const known = new Map<string, Parts>()
/** Versions that are remembered as parts; an index has some thousand. */
const mostKnown = 50_000

const partsOf = (version: string): Parts => {
  let parts = known.get(version)
  if (parts === undefined) {
    if (known.size >= mostKnown) known.clear()
    parts = new VersionReader(version)
    known.set(version, parts)
  }
  return parts
}

/** Whether apk takes a text as a version. */
export const isVersion = (text: string): boolean => text.length <= 256 && partsOf(text).kinds.at(-1) === kind.end

/**
 * Negative where `a` is older, 0 where they are equal, positive where `a` is newer. With `fuzzy`, a version is equal to
 * what it begins with: `3.6.9` to `3.6`.
 */
export const compareVersions = (a: string, b: string, fuzzy = false): number => {
  if (a === b) return 0
  const [left, right] = [partsOf(a), partsOf(b)]
  let at = 0
  const isOpen = () => left.kinds[at] !== kind.end && left.kinds[at] !== kind.invalid
  while (left.kinds[at] === right.kinds[at] && left.values[at] === right.values[at] && isOpen()) at++
  const [ours, theirs] = [left.values[at]!, right.values[at]!]
  if (ours !== theirs) return ours < theirs ? -1 : 1
  const [mine, other] = [left.kinds[at]!, right.kinds[at]!]
  if (mine === other || fuzzy) return 0
  // The longer one is newer, unless it goes on with a suffix for what comes before a release.
  if (mine === kind.suffix && left.values[at + 1]! < 0) return -1
  if (other === kind.suffix && right.values[at + 1]! < 0) return 1
  return mine > other ? -1 : 1
}
