import { ZosError } from '@zos/core'
import { compareVersions, isVersion } from './version.js'

/** Comparisons that hold, as bits. */
export const relation = { equal: 1, less: 2, greater: 4 } as const

/** `name`, `!name`, `name=1.0`, `name>=1.0`, `name~1.0`, `name><CHECKSUM`, each with `@tag` (apk-world(5)). */
export interface Dependency {
  readonly name: string
  /** Prefixed `!`: what it says must not be. */
  readonly conflict: boolean
  /** Missing where any version will do. */
  readonly version?: string | undefined
  /** Bits of `relation`; 0 where any version will do. */
  readonly relations: number
  /** `~`: also what only begins with the version. */
  readonly fuzzy: boolean
  /** `><`: `version` is the package's checksum. */
  readonly checksum: boolean
  /** Repository tag, without the `@`. */
  readonly tag?: string | undefined
}

const form = /^(!?)([^!@<>=~\s][^@<>=~\s]*)(?:@([^<>=~\s@]+))?(?:([<>=~]+)([^<>=~\s]\S*))?$/

/** `undefined` where the text is no dependency. */
export const readDependency = (text: string): Dependency | undefined => {
  const match = text.length <= 1024 ? form.exec(text) : null
  if (!match) return undefined
  const [, bang, name, tag, operator = '', version] = match
  const conflict = bang === '!'
  const plain = { name: name!, conflict, ...(tag !== undefined && { tag }) }
  if (version === undefined) return { ...plain, relations: 0, fuzzy: false, checksum: false }
  const [less, greater] = [operator.includes('<'), operator.includes('>')]
  const fuzzy = operator.includes('~')
  const equal = fuzzy || operator.includes('=')
  const checksum = less && greater && !equal
  if (!checksum && !isVersion(version)) return undefined
  const relations = (equal ? relation.equal : 0) | (less ? relation.less : 0) | (greater ? relation.greater : 0)
  return { ...plain, version, relations, fuzzy, checksum }
}

/** Throws `APK_DEPENDENCY`; `where` says who wrote it. */
export const parseDependency = (text: string, where: string): Dependency => {
  const found = readDependency(text)
  if (found) return found
  throw new ZosError('APK_DEPENDENCY', `${where}: '${text.slice(0, 100)}' is no dependency`, {
    hint: 'expected name, !name, name=1.0, name>=1.0 or name~1.0, each with @tag for a tagged repository',
  })
}

/** Whether a version stands in a dependency's relation; `checksum` is that of the package. */
export const versionFits = (dependency: Dependency, version: string | undefined, checksum: string): boolean => {
  if (dependency.version === undefined) return true
  if (dependency.checksum) return dependency.version === checksum
  // A provide without a version answers no dependency that has one.
  if (version === undefined) return false
  const order = compareVersions(version, dependency.version, dependency.fuzzy)
  const holds = order < 0 ? relation.less : order > 0 ? relation.greater : relation.equal
  return (dependency.relations & holds) !== 0
}

/** As apk writes it. */
export const dependencyText = (dependency: Dependency): string => {
  const { name, conflict, version, relations, fuzzy, checksum, tag } = dependency
  const sign =
    (relations & relation.less ? '<' : '') +
    (relations & relation.greater ? '>' : '') +
    (fuzzy ? '~' : relations & relation.equal && !checksum ? '=' : '')
  return `${conflict ? '!' : ''}${name}${tag === undefined ? '' : `@${tag}`}${version === undefined ? '' : sign + version}`
}
