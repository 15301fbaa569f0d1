import { ZosError } from '@zos/core'
import type { Stanza } from '../control/deb822.js'
import { type Alternatives, type Provided, parseDependency, parseProvides } from '../control/dependency.js'
import { isVersion } from '../control/version.js'
import type { ArchiveLabel } from './archives.js'

/** A suite as the resolver sees it. */
export interface Suite {
  /** As the config names it: `bookworm-backports`. */
  readonly name: string
  readonly archive: ArchiveLabel
  /** Other names that the suite goes by, from its Release: `stable-backports`. */
  readonly aliases?: readonly string[]
  readonly notAutomatic: boolean
  readonly butAutomaticUpgrades: boolean
}

export type MultiArch = 'no' | 'same' | 'foreign' | 'allowed'

/** One version of one package in one suite. Relations are kept as text and read when the resolver needs them. */
export interface BinaryPackage {
  readonly name: string
  readonly version: string
  /** The architecture, or `all`. */
  readonly architecture: string
  /** The source package that it was built from. */
  readonly source: string
  readonly sourceVersion: string
  /** `required` is 1, `extra` and unknown ones are 5. */
  readonly priority: number
  readonly essential: boolean
  readonly important: boolean
  readonly multiArch: MultiArch
  readonly relations: Readonly<Partial<Record<RelationField, string>>>
  readonly provides: readonly Provided[]
  /** The fields whose names count for the order of first mention, in the order that apt reads them. */
  readonly mentions: readonly string[]
  /** Path below the archive's root. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** 64 hex digits. */
  readonly sha256: string
  readonly suite: Suite
}

export type RelationField = 'Pre-Depends' | 'Depends' | 'Conflicts' | 'Breaks'

/** What is read of a `Packages` file; the rest (descriptions, tags) is most of its bytes. */
export const indexFields = [
  'Package',
  'Version',
  'Architecture',
  'Source',
  'Priority',
  'Essential',
  'Important',
  'Protected',
  'Multi-Arch',
  'Pre-Depends',
  'Depends',
  'Conflicts',
  'Breaks',
  'Recommends',
  'Suggests',
  'Replaces',
  'Enhances',
  'Provides',
  'Filename',
  'Size',
  'SHA256',
] as const

const priorities = ['required', 'important', 'standard', 'optional', 'extra']
const multiArches: readonly string[] = ['same', 'foreign', 'allowed']

const mentionFields = [
  'Pre-Depends',
  'Depends',
  'Conflicts',
  'Breaks',
  'Recommends',
  'Suggests',
  'Replaces',
  'Enhances',
  'Provides',
] as const

const largestPackage = 8 * 1024 * 1024 * 1024

export const packageName = /^[a-z0-9][a-z0-9+.-]{0,199}$/

/** A pool path stays below the archive's root and needs no escaping in an address. */
const poolPath = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._+~:%-]+(?:\/[A-Za-z0-9._+~:%-]+)+$/

/** One paragraph of a `Packages` file. Throws `DEBIAN_PACKAGES` naming file, line and field. */
export const readBinaryPackage = (stanza: Stanza, suite: Suite, file: string): BinaryPackage => {
  const wrong = (what: string) => new ZosError('DEBIAN_PACKAGES', `${file}:${stanza.line}: ${what}`)
  const needed = (field: string): string => {
    const value = stanza.fields.get(field)
    if (value === undefined || value === '') throw wrong(`the field ${field} is missing`)
    return value
  }
  const name = needed('Package')
  if (!packageName.test(name)) throw wrong(`'${name.slice(0, 100)}' is no package name`)
  const version = needed('Version')
  if (!isVersion(version)) throw wrong(`'${version.slice(0, 100)}' is no version`)
  const sha256 = needed('SHA256')
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw wrong('SHA256 is not 64 hex digits')
  const size = Number(needed('Size'))
  if (!Number.isSafeInteger(size) || size <= 0 || size > largestPackage)
    throw wrong(`the size ${size} is out of bounds`)
  const path = needed('Filename').replace(/^\.\//, '')
  if (path.length > 1024 || !poolPath.test(path)) throw wrong(`'${path.slice(0, 100)}' is no path below the archive`)
  const provides = stanza.fields.get('Provides')
  return {
    name,
    version,
    architecture: needed('Architecture'),
    ...sourceOf(stanza.fields.get('Source'), name, version),
    priority: priorityOf(stanza.fields.get('Priority')),
    essential: stanza.fields.get('Essential') === 'yes',
    important: stanza.fields.get('Important') === 'yes' || stanza.fields.get('Protected') === 'yes',
    multiArch: multiArches.includes(stanza.fields.get('Multi-Arch') ?? '')
      ? (stanza.fields.get('Multi-Arch') as MultiArch)
      : 'no',
    relations: relationsOf(stanza),
    provides: provides ? parseProvides(provides, { subject: `${name} ${version}, Provides` }) : [],
    mentions: mentionFields.flatMap((field) => stanza.fields.get(field) ?? []),
    path,
    size,
    sha256,
    suite,
  }
}

const priorityOf = (word: string | undefined): number => {
  const index = priorities.indexOf(word ?? '')
  return index < 0 ? priorities.length : index + 1
}

const sourceOf = (field: string | undefined, name: string, version: string) => {
  const match = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(field ?? '')
  return { source: match?.[1] ?? name, sourceVersion: match?.[2] ?? version }
}

const relationFields: readonly RelationField[] = ['Pre-Depends', 'Depends', 'Conflicts', 'Breaks']

const relationsOf = (stanza: Stanza): Partial<Record<RelationField, string>> => {
  const relations: Partial<Record<RelationField, string>> = {}
  for (const field of relationFields) {
    const text = stanza.fields.get(field)
    if (text) relations[field] = text
  }
  return relations
}

const read = new WeakMap<BinaryPackage, Map<RelationField, readonly Alternatives[]>>()

/** The terms of one field, read on first use. Throws `DEBIAN_DEPENDENCY` naming the package. */
export const relationsIn = (binary: BinaryPackage, field: RelationField): readonly Alternatives[] => {
  const text = binary.relations[field]
  if (text === undefined) return []
  const fields = read.get(binary) ?? new Map<RelationField, readonly Alternatives[]>()
  const known = fields.get(field)
  if (known) return known
  const terms = parseDependency(text, { subject: `${binary.name} ${binary.version}, ${field}` })
  read.set(binary, fields.set(field, terms))
  return terms
}

/** `name version`, with the suite where it says more. */
export const describePackage = (binary: BinaryPackage): string =>
  `${binary.name} ${binary.version} (${binary.suite.name})`
