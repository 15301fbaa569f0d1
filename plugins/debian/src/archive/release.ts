import { ZosError } from '@zos/core'
import { fieldOf, parseDeb822 } from '../control/deb822.js'
import { parseRfcDate } from './rfc-date.js'

/** One file that a Release names, by its path below `dists/<suite>/`. */
export interface ReleaseFile {
  readonly path: string
  /** 64 hex digits. */
  readonly sha256: string
  /** Bytes. */
  readonly size: number
}

/** What a suite says about itself (the Debian repository format). */
export interface Release {
  readonly origin?: string
  readonly label?: string
  /** A name that moves, such as `oldstable`. */
  readonly suite?: string
  /** A name that stays, such as `bookworm`. */
  readonly codename?: string
  readonly version?: string
  readonly architectures: readonly string[]
  /** Without the `updates/` that the security archive puts before them. */
  readonly components: readonly string[]
  /** Seconds since 1970. */
  readonly date?: number
  /** Seconds since 1970; after that a mirror may be withholding news. */
  readonly validUntil?: number
  /** Nothing is taken from this suite unless asked for (backports, experimental). */
  readonly notAutomatic: boolean
  /** What came from a `notAutomatic` suite is upgraded from there. */
  readonly butAutomaticUpgrades: boolean
  /** Indexes may also be had under `by-hash/SHA256/<digest>`, which no mirror run can tear. */
  readonly byHash: boolean
  /** The indexes of an architecture leave out packages of architecture `all`. */
  readonly separateAll: boolean
  readonly files: ReadonlyMap<string, ReleaseFile>
}

const limits = { bytes: 32 * 1024 * 1024, files: 200_000, path: 512 }

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter((word) => word !== '')

/** The text of a Release file (the body of InRelease). Throws `DEBIAN_RELEASE` naming the file and what is missing. */
export const parseRelease = (text: string, file: string): Release => {
  const wrong = (what: string) => new ZosError('DEBIAN_RELEASE', `${file}: ${what}`)
  if (text.length > limits.bytes) throw wrong(`it is larger than ${limits.bytes} bytes`)
  const [stanza, second] = parseDeb822(text, { file })
  if (!stanza) throw wrong('it is empty')
  if (second) throw wrong(`a second paragraph begins in line ${second.line}`)
  const value = (name: string) => fieldOf(stanza, name) || undefined
  const date = (name: string): number | undefined => {
    const found = value(name)
    if (found === undefined) return undefined
    const seconds = parseRfcDate(found)
    if (seconds === undefined) throw wrong(`${name} '${found.slice(0, 60)}' is no date`)
    return seconds
  }
  const table = value('SHA256')
  if (table === undefined)
    throw wrong('it has no SHA256 table: the archive is too old, or this is no Release file at all')
  const [origin, label, suite, codename, version] = ['Origin', 'Label', 'Suite', 'Codename', 'Version'].map(value)
  const [made, validUntil] = [date('Date'), date('Valid-Until')]
  if (!suite && !codename) throw wrong('it has neither Suite nor Codename')
  const architectures = words(value('Architectures'))
  return {
    ...(origin && { origin }),
    ...(label && { label }),
    ...(suite && { suite }),
    ...(codename && { codename }),
    ...(version && { version }),
    ...(made !== undefined && { date: made }),
    ...(validUntil !== undefined && { validUntil }),
    architectures,
    components: words(value('Components')).map((name) => name.slice(name.lastIndexOf('/') + 1)),
    notAutomatic: value('NotAutomatic') === 'yes',
    butAutomaticUpgrades: value('ButAutomaticUpgrades') === 'yes',
    byHash: value('Acquire-By-Hash') === 'yes',
    separateAll: architectures.includes('all') && !words(value('No-Support-for-Architecture-all')).includes('Packages'),
    files: parseTable(table, wrong),
  }
}

const parseTable = (table: string, wrong: (what: string) => ZosError): Map<string, ReleaseFile> => {
  const files = new Map<string, ReleaseFile>()
  for (const line of table.split('\n')) {
    if (line.trim() === '') continue
    const match = /^\s*([0-9a-f]{64})\s+(\d{1,15})\s+(\S+)$/.exec(line)
    if (!match) throw wrong(`'${line.slice(0, 120)}' in the SHA256 table is no 'digest size path'`)
    const [, sha256 = '', size = '', path = ''] = match
    if (
      path.length > limits.path ||
      !/^[A-Za-z0-9._+~-]+(\/[A-Za-z0-9._+~-]+)*$/.test(path) ||
      /(^|\/)\.\.?(\/|$)/.test(path)
    )
      throw wrong(`the path '${path.slice(0, 120)}' in the SHA256 table leaves the suite`)
    const known = files.get(path)
    if (known && known.sha256 !== sha256) throw wrong(`${path} is there twice with two digests`)
    files.set(path, { path, sha256, size: Number(size) })
    if (files.size > limits.files) throw wrong(`the SHA256 table has more than ${limits.files} files`)
  }
  return files
}

/** One index, in every compression that the archive has it in; the smallest first. */
export interface PackagesIndex {
  readonly component: string
  readonly variants: readonly (ReleaseFile & { readonly compression: 'xz' | 'gzip' | 'none' })[]
}

/**
 * The `Packages` files of some components for an architecture.
 * Throws `DEBIAN_RELEASE` when the suite has no such component or architecture, naming those it has.
 */
export const packagesIndexes = (
  release: Release,
  wanted: { readonly components: readonly string[]; readonly architecture: string; readonly file: string },
): PackagesIndex[] => {
  const { components, architecture, file } = wanted
  const missing = (what: string, has: readonly string[]) =>
    new ZosError('DEBIAN_RELEASE', `${file}: the suite has no ${what}; it has ${has.join(', ')}`)
  if (release.architectures.length > 0 && !release.architectures.includes(architecture))
    throw missing(`architecture ${architecture}`, release.architectures)
  const indexes: PackagesIndex[] = []
  for (const component of components) {
    if (!release.components.includes(component)) throw missing(`component ${component}`, release.components)
    for (const name of release.separateAll ? [architecture, 'all'] : [architecture]) {
      const path = `${component}/binary-${name}/Packages`
      const variants = (
        [
          ['.xz', 'xz'],
          ['.gz', 'gzip'],
          ['', 'none'],
        ] as const
      ).flatMap(([ending, compression]) => {
        const found = release.files.get(path + ending)
        return found ? [{ ...found, compression }] : []
      })
      if (variants.length === 0) throw missing(`file ${path}`, release.architectures)
      indexes.push({ component, variants })
    }
  }
  return indexes
}

/** Where a file of a suite lies below the archive's root: under its digest where the archive offers that. */
export const indexPath = (release: Release, suite: string, { path, sha256 }: ReleaseFile): string => {
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  return release.byHash ? `dists/${suite}/${folder}by-hash/SHA256/${sha256}` : `dists/${suite}/${path}`
}

/**
 * A Release must be of the suite that was asked for: else a mirror could answer with an older, signed one.
 * Throws `DEBIAN_RELEASE` naming both.
 */
export const checkSuite = (release: Release, suite: string, file: string): void => {
  // The security archive has called itself both `bookworm-security` and `bookworm/updates`.
  const names = [release.suite, release.codename].filter((name) => name !== undefined)
  const alike = names.some((name) => name === suite || name.replace('/', '-') === suite.replace('/', '-'))
  if (!alike)
    throw new ZosError('DEBIAN_RELEASE', `${file}: asked for the suite ${suite}, but this is ${names.join(', ')}`)
}

/** Throws `DEBIAN_EXPIRED` when `now` (seconds since 1970) is past the release's `Valid-Until`. */
export const checkFreshness = (release: Release, now: number, file: string): void => {
  if (release.validUntil === undefined || now <= release.validUntil) return
  const days = Math.floor((now - release.validUntil) / 86400)
  throw new ZosError('DEBIAN_EXPIRED', `${file}: it was valid until ${days} day${days === 1 ? '' : 's'} ago`, {
    hint: [
      'the mirror is stale, or the clock is wrong: try another mirror, debian({ mirror }) or DEBIAN_MIRROR',
      'a snapshot on purpose? apt has Acquire::Check-Valid-Until "false" for that, which is honoured here',
    ],
  })
}
