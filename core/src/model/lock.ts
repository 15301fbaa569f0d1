// The lock: every pin of one config, as text that diffs well. Parsing is strict, since a person may have edited it.
import { ExitCode, ZosError } from '../error.js'
import { canonical, digestOf, type Json } from './canonical.js'

/** A question and its answer. The question is kept whole, so that a changed one can be shown as a difference. */
export interface LockEntry {
  readonly request: Json
  readonly pin: Json
}

/** Which tools built something: a host with others gives other bytes, and is named. */
export interface LockedToolchain {
  readonly identity: string
  readonly title: string
}

interface LockSection {
  /** By plugin id, then by entry name. */
  readonly pins: Record<string, Record<string, LockEntry>>
  /** By plugin id and title. */
  readonly toolchains: Record<string, LockedToolchain>
}

interface LockData {
  /** Seconds since 1970 that every output carries. */
  epoch: number
  readonly arch: Record<string, LockSection>
}

const format = 1
const architectures = ['x86_64', 'aarch64']
/** newc and xz hold 32 bits. */
const largestEpoch = 0xffff_ffff

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]))
}

const refuse = (file: string, what: string, cause?: unknown): never => {
  throw new ZosError('LOCK_INVALID', `${file}: ${what}`, {
    hint: ['put back the last good version from version control', 'or remove it and make a new one: zos update'],
    exit: ExitCode.lock,
    cause,
  })
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Parses a lock; `file` is for errors. Anything that is not a lock of this format is `LOCK_INVALID`. */
export const parseLock = (text: string, file: string): LockData => {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    return refuse(file, `is not JSON: ${(cause as Error).message}`, cause)
  }
  /** An object with just these members: what was not understood would be lost when the lock is written. */
  const members = (value: unknown, path: string, names?: readonly string[]): Record<string, unknown> => {
    if (!isRecord(value)) return refuse(file, `${path}: expected an object`)
    const unknown = names && Object.keys(value).find((name) => !names.includes(name))
    if (unknown !== undefined) return refuse(file, `${path}: unknown member ${unknown}`)
    for (const name of names ?? [])
      if (!Object.hasOwn(value, name)) return refuse(file, `${path}: expected ${names?.join(' and ')}`)
    return value
  }
  if (!isRecord(data)) return refuse(file, 'expected an object')
  if (data.version !== format)
    return refuse(file, `has version ${JSON.stringify(data.version) ?? 'nothing'}; this zos reads ${format}`)
  members(data, 'the lock', ['version', 'epoch', 'arch'])
  if (!Number.isSafeInteger(data.epoch) || (data.epoch as number) < 0 || (data.epoch as number) > largestEpoch)
    return refuse(file, 'epoch: expected seconds since 1970, below 2^32')
  for (const [arch, section] of Object.entries(members(data.arch, 'arch'))) {
    if (!architectures.includes(arch)) return refuse(file, `arch.${arch}: expected ${architectures.join(' or ')}`)
    const { pins, toolchains } = members(section, `arch.${arch}`, ['pins', 'toolchains'])
    for (const [plugin, entries] of Object.entries(members(pins, `arch.${arch}.pins`)))
      for (const [name, entry] of Object.entries(members(entries, `arch.${arch}.pins.${plugin}`)))
        members(entry, `arch.${arch}.pins.${plugin}.${name}`, ['request', 'pin'])
    for (const [key, toolchain] of Object.entries(members(toolchains, `arch.${arch}.toolchains`))) {
      const path = `arch.${arch}.toolchains.${key}`
      const { identity, title } = members(toolchain, path, ['identity', 'title'])
      if (typeof identity !== 'string' || typeof title !== 'string')
        return refuse(file, `${path}: expected texts as identity and title`)
    }
  }
  return { epoch: data.epoch as number, arch: data.arch as LockData['arch'] }
}

/** A member of an object used as a table: names such as `constructor` are names like others. */
const member = <T>(table: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined

const setMember = <T>(table: Record<string, T>, name: string, value: T): void => {
  Object.defineProperty(table, name, { value, configurable: true, enumerable: true, writable: true })
}

/** The entry of a source, apart from those that plugins name themselves. */
export const sourceEntry = (name: string): string => `source ${name}`

/** What people may call an entry: by its plugin, its name, or both. */
export const entryNames = (plugin: string, entry: string): readonly string[] => {
  const name = entry.replace(/^source /, '')
  return [plugin, name, `${plugin}/${name}`]
}

/** The lock of one build: what it held, and what has been added or moved since. */
export class LockBook {
  readonly file: string
  readonly #arch: string
  readonly #data: LockData
  readonly #before: string
  /** Keys that this build asked for; the others are stale and go when the lock is written. */
  readonly #used = new Set<string>()
  readonly #isNew: boolean

  constructor(file: string, text: string | undefined, arch: string, now: number) {
    this.file = file
    this.#arch = arch
    this.#isNew = text === undefined
    this.#data = text === undefined ? { epoch: Math.floor(now / 1000), arch: {} } : parseLock(text, file)
    this.#before = text ?? ''
  }

  get isNew(): boolean {
    return this.#isNew
  }

  get epoch(): number {
    return this.#data.epoch
  }

  get #section(): LockSection {
    this.#data.arch[this.#arch] ??= { pins: {}, toolchains: {} }
    return this.#data.arch[this.#arch]!
  }

  entry(plugin: string, name: string): LockEntry | undefined {
    this.#used.add(`${plugin} ${name}`)
    return member(member(this.#section.pins, plugin), name)
  }

  set(plugin: string, name: string, entry: LockEntry): void {
    this.#used.add(`${plugin} ${name}`)
    const entries = member(this.#section.pins, plugin) ?? {}
    setMember(this.#section.pins, plugin, entries)
    setMember(entries, name, entry)
  }

  /** Takes an entry out: its question needs no answer any more. */
  remove(plugin: string, name: string): void {
    const entries = member(this.#section.pins, plugin)
    if (entries) delete entries[name]
  }

  toolchain(key: string): LockedToolchain | undefined {
    return member(this.#section.toolchains, key)
  }

  setToolchain(key: string, toolchain: LockedToolchain): void {
    setMember(this.#section.toolchains, key, toolchain)
  }

  /** Forgets the toolchains of plugins that are updated: the next build notes those that it uses. */
  dropToolchains(isUpdated: (plugin: string) => boolean): void {
    for (const key of Object.keys(this.#section.toolchains))
      if (isUpdated(key.slice(0, key.indexOf(':')))) delete this.#section.toolchains[key]
  }

  moveEpoch(now: number): void {
    this.#data.epoch = Math.floor(now / 1000)
  }

  /** Digest of the pins of this architecture, for the manifest. */
  get digest(): string {
    return digestOf(this.#section.pins)
  }

  /** Takes out entries that the config no longer asks for. */
  prune(): void {
    for (const [plugin, entries] of Object.entries(this.#section.pins)) {
      for (const name of Object.keys(entries)) if (!this.#used.has(`${plugin} ${name}`)) delete entries[name]
      if (Object.keys(entries).length === 0) delete this.#section.pins[plugin]
    }
  }

  get text(): string {
    const { epoch, arch } = this.#data
    return `${JSON.stringify({ version: format, epoch, arch: sorted(arch) }, undefined, 2)}\n`
  }

  get isChanged(): boolean {
    return this.text !== this.#before
  }
}

const listDifferences = (
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  show: (value: unknown) => string,
): string[] => {
  const [old, now] = [before.map(canonical), after.map(canonical)]
  const lines = [
    ...before.filter((_, index) => !now.includes(old[index]!)).map((item) => `${path}: ${show(item)} is gone`),
    ...after.filter((_, index) => !old.includes(now[index]!)).map((item) => `${path}: ${show(item)} is new`),
  ]
  if (lines.length > 0) return lines
  const count = (list: readonly string[], text: string): number => list.filter((one) => one === text).length
  const doubled = before.find((_, index) => count(old, old[index]!) !== count(now, old[index]!))
  return [doubled === undefined ? `${path}: another order` : `${path}: another number of ${show(doubled)}`]
}

/** The differences of two plain values as lines, `path: old → new`, at most `limit`. */
export const differences = (before: unknown, after: unknown, path = '', limit = 12): string[] => {
  if (canonical(before) === canonical(after)) return []
  const show = (value: unknown): string => {
    const text = value === undefined ? 'nothing' : canonical(value)
    return text.length > 60 ? `${text.slice(0, 57)}…` : text
  }
  if (Array.isArray(before) && Array.isArray(after)) return listDifferences(before, after, path, show).slice(0, limit)
  if (!isRecord(before) || !isRecord(after)) return [`${path || 'request'}: ${show(before)} → ${show(after)}`]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return keys
    .flatMap((key) => differences(before[key], after[key], path ? `${path}.${key}` : key, limit))
    .slice(0, limit)
}
