import { ZosError } from '@zos/core'

/** A package as an index lists it. Lists are as written, one blank between the words. */
export interface IndexEntry {
  readonly name: string
  readonly version: string
  readonly arch: string
  /** `Q1` and base64 of the control segment's SHA-1, or `Q2` of its SHA-256. */
  readonly checksum: string
  /** Bytes of the package file. */
  readonly size: number
  readonly installedSize: number
  readonly description: string
  readonly url: string
  readonly license: string
  readonly origin: string
  readonly maintainer: string
  readonly commit: string
  readonly buildDate: number
  readonly providerPriority: number
  readonly depends: string
  readonly provides: string
  readonly installIf: string
}

type Mutable = { -readonly [K in keyof IndexEntry]: IndexEntry[K] }

/** Fields by the code of their letter (apk-index(5)). */
const textFields = new Map<number, keyof IndexEntry>(
  Object.entries({
    P: 'name',
    V: 'version',
    A: 'arch',
    C: 'checksum',
    T: 'description',
    U: 'url',
    L: 'license',
    o: 'origin',
    m: 'maintainer',
    c: 'commit',
    D: 'depends',
    p: 'provides',
    i: 'installIf',
  } as const).map(([letter, field]) => [letter.charCodeAt(0), field]),
)
const numberFields = new Map<number, keyof IndexEntry>(
  Object.entries({ S: 'size', I: 'installedSize', t: 'buildDate', k: 'providerPriority' } as const).map(
    ([letter, field]) => [letter.charCodeAt(0), field],
  ),
)

const empty = (): Mutable => ({
  name: '',
  version: '',
  arch: '',
  checksum: '',
  size: 0,
  installedSize: 0,
  description: '',
  url: '',
  license: '',
  origin: '',
  maintainer: '',
  commit: '',
  buildDate: 0,
  providerPriority: 0,
  depends: '',
  provides: '',
  installIf: '',
})

const newline = 0x0a
const colon = 0x3a
const most = { packages: 1_000_000, line: 1024 ** 2 }
/** What is used as a path or an address below a repository. */
const safe = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/
const checksumForm = /^Q(1[A-Za-z0-9+/]{27}=|2[A-Za-z0-9+/]{43}=)$/

/**
 * Parses the text of an APKINDEX: `X:value` lines, an empty line after each package. Lower-case fields that are not
 * known are passed over, as apk does; a package with an upper-case one is left out. Throws `APK_INDEX` with the line.
 */
export const parseIndex = (text: string, name: string): IndexEntry[] => {
  const entries: IndexEntry[] = []
  let entry = empty()
  let isOpen = false
  let isUsable = true
  let line = 0
  const fail = (problem: string): ZosError => new ZosError('APK_INDEX', `${name}, line ${line}: ${problem}`)
  const close = (): void => {
    if (!isOpen) return
    if (isUsable) entries.push(checked(entry, fail))
    if (entries.length > most.packages) throw fail(`more than ${most.packages} packages`)
    entry = empty()
    isOpen = false
    isUsable = true
  }
  for (let at = 0; at < text.length; ) {
    line++
    const newlineAt = text.indexOf('\n', at)
    const end = newlineAt < 0 ? text.length : newlineAt
    if (text.charCodeAt(at) === newline) close()
    else {
      if (text.charCodeAt(at + 1) !== colon || end - at > most.line)
        throw fail(`'${text.slice(at, Math.min(end, at + 80))}' is no 'X:value'`)
      isOpen = true
      const letter = text.charCodeAt(at)
      const field = textFields.get(letter)
      if (field) (entry as Record<string, unknown>)[field] = text.slice(at + 2, end)
      else {
        const number = numberFields.get(letter)
        if (number) (entry as Record<string, unknown>)[number] = numberOf(text.slice(at + 2, end), fail)
        else if (letter >= 0x41 && letter <= 0x5a) isUsable = false
      }
    }
    at = end + 1
  }
  close()
  return entries
}

const numberOf = (text: string, fail: (problem: string) => ZosError): number => {
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value
  throw fail(`'${text.slice(0, 40)}' is no number`)
}

const checked = (entry: IndexEntry, fail: (problem: string) => ZosError): IndexEntry => {
  if (!safe.test(entry.name)) throw fail(`'${entry.name.slice(0, 80)}' is no name of a package`)
  if (!safe.test(entry.version)) throw fail(`${entry.name}: '${entry.version.slice(0, 80)}' is no version`)
  if (entry.arch !== '' && !safe.test(entry.arch))
    throw fail(`${entry.name}: '${entry.arch.slice(0, 80)}' is no architecture`)
  if (!checksumForm.test(entry.checksum)) throw fail(`${entry.name}: '${entry.checksum.slice(0, 80)}' is no checksum`)
  return entry
}

/** One package as lines of an index, in apk's order, with the empty line. */
export const indexEntryText = (entry: IndexEntry): string => {
  const line = (letter: string, value: string | number): string => (value === '' ? '' : `${letter}:${value}\n`)
  // apk always writes these three.
  const always = (letter: string, value: string): string => `${letter}:${value}\n`
  const positive = (letter: string, value: number): string => (value > 0 ? line(letter, value) : '')
  return [
    line('C', entry.checksum),
    line('P', entry.name),
    line('V', entry.version),
    line('A', entry.arch),
    line('S', entry.size),
    line('I', entry.installedSize),
    always('T', entry.description),
    always('U', entry.url),
    always('L', entry.license),
    line('o', entry.origin),
    line('m', entry.maintainer),
    positive('t', entry.buildDate),
    line('c', entry.commit),
    positive('k', entry.providerPriority),
    line('D', entry.depends),
    line('p', entry.provides),
    line('i', entry.installIf),
    '\n',
  ].join('')
}
