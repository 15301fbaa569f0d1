import { ZosError } from '@zos/core'
import { type Dependency, parseDependency } from '../format/dependency.js'
import type { IndexEntry } from '../format/index-text.js'
import { compareVisits } from './name-order.js'

/** The packages of one repository, in the order of its index. */
export interface RepositoryIndex {
  /** How errors name it: `main`. */
  readonly label: string
  /** `edge` of `@edge`: only packages that name the tag come from it, and what they need. */
  readonly tag?: string
  readonly entries: readonly IndexEntry[]
}

const none: readonly Name[] = []

/** A name that packages bear or provide, and that dependencies are about. */
export class Name {
  readonly text: string
  readonly id: number
  /** Packages that bear or provide it, in the order of the indexes. */
  readonly providers: Provider[] = []
  #triggered: Set<Name> | undefined
  #triggers: readonly Name[] | undefined

  constructor(text: string, id: number) {
    this.text = text
    this.id = id
  }

  /** Names of packages that come by themselves once this one is installed (`install_if`), in apk's order. */
  get triggers(): readonly Name[] {
    this.#triggers ??= this.#triggered ? [...this.#triggered].sort(compareVisits) : none
    return this.#triggers
  }

  triggersAlso(name: Name): void {
    this.#triggered ??= new Set()
    this.#triggered.add(name)
  }
}

/** A dependency and the name that it is about. */
export type Need = Dependency & { readonly target: Name }

/** A package that stands for a name; without a version it is virtual. */
export interface Provider {
  readonly candidate: Candidate
  readonly version: string | undefined
}

interface Provided {
  readonly target: Name
  readonly version: string | undefined
}

/** A package that a repository offers. What it depends on is parsed when it is first asked for: most are never looked at. */
export class Candidate {
  readonly entry: IndexEntry
  readonly name: Name
  readonly id: number
  /** The first repository that has it, by its place among all. */
  readonly repository: number
  /** Tags of the repositories that have it, as bits; bit 0 stands for those without a tag. */
  tags: number
  readonly provides: readonly Provided[]
  readonly #universe: Universe
  #depends: readonly Need[] | undefined
  #installIf: readonly Need[] | undefined

  constructor(universe: Universe, entry: IndexEntry, id: number, repository: number, tags: number) {
    this.#universe = universe
    this.entry = entry
    this.id = id
    this.repository = repository
    this.tags = tags
    this.name = universe.name(entry.name)
    this.provides = words(entry.provides).map((word) => {
      const equals = word.indexOf('=')
      return equals < 0
        ? { target: universe.name(word), version: undefined }
        : { target: universe.name(word.slice(0, equals)), version: word.slice(equals + 1) }
    })
  }

  get depends(): readonly Need[] {
    this.#depends ??= words(this.entry.depends).map((word) => this.#need(word))
    return this.#depends
  }

  get installIf(): readonly Need[] {
    this.#installIf ??= words(this.entry.installIf).map((word) => this.#need(word))
    return this.#installIf
  }

  /** `name-version`, as apk writes it. */
  get text(): string {
    return `${this.entry.name}-${this.entry.version}`
  }

  #need(word: string): Need {
    const dependency = parseDependency(word, `${this.text}, in the index`)
    return { ...dependency, target: this.#universe.name(dependency.name) }
  }
}

const noWords: readonly string[] = []
const words = (text: string): readonly string[] =>
  text === '' ? noWords : text.includes(' ') ? text.split(' ').filter((word) => word !== '') : [text]

/** Tags are kept as bits. */
const mostTags = 30

/** Everything that the repositories offer, by name. */
export class Universe {
  readonly repositories: readonly RepositoryIndex[]
  readonly candidates: Candidate[] = []
  readonly #names = new Map<string, Name>()
  readonly #tags = new Map<string, number>()

  /** Of two repositories with the very same package the first one has it. */
  constructor(repositories: readonly RepositoryIndex[]) {
    this.repositories = repositories
    const byChecksum = new Map<string, Candidate>()
    for (const [index, { tag, entries }] of repositories.entries()) {
      const bit = 1 << (tag === undefined ? 0 : this.#tag(tag))
      for (const entry of entries) {
        const same = byChecksum.get(entry.checksum)
        if (same) same.tags |= bit
        else byChecksum.set(entry.checksum, this.#add(entry, index, bit))
      }
    }
  }

  /** The name of a text; made where nothing has it. */
  name(text: string): Name {
    let name = this.#names.get(text)
    if (!name) {
      name = new Name(text, this.#names.size)
      this.#names.set(text, name)
    }
    return name
  }

  /** The number of a tag, from 1; `undefined` where no repository has it. */
  tagNumber(tag: string): number | undefined {
    return this.#tags.get(tag)
  }

  get tags(): string[] {
    return [...this.#tags.keys()]
  }

  /** All names that a package bears or provides. */
  *offered(): Iterable<string> {
    for (const { text, providers } of this.#names.values()) if (providers.length > 0) yield text
  }

  #tag(tag: string): number {
    const number = this.#tags.get(tag) ?? this.#tags.size + 1
    if (number > mostTags) throw new ZosError('ALPINE_REPOSITORY', `more than ${mostTags} repository tags`)
    this.#tags.set(tag, number)
    return number
  }

  #add(entry: IndexEntry, repository: number, tags: number): Candidate {
    const candidate = new Candidate(this, entry, this.candidates.length, repository, tags)
    this.candidates.push(candidate)
    candidate.name.providers.push({ candidate, version: entry.version })
    for (const { target, version } of candidate.provides) target.providers.push({ candidate, version })
    for (const word of words(entry.installIf)) {
      const [, text = ''] = /^!?([^<>=~@]*)/.exec(word) ?? []
      const name = this.name(text)
      name.triggersAlso(candidate.name)
      for (const { target } of candidate.provides) name.triggersAlso(target)
    }
    return candidate
  }
}
