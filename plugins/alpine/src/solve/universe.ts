import { ZosError } from '@zos/core'
import { type Dependency, parseDependency } from '../format/dependency.js'
import type { IndexEntry } from '../format/index-text.js'
import { type IndexTable, mark, type TakeWord } from './index-table.js'
import { compareVisits } from './name-order.js'

/** The packages of one repository, in the order of its index. */
export interface RepositoryIndex {
  /** How errors name it: `main`. */
  readonly label: string
  /** `edge` of `@edge`: only packages that name the tag come from it, and what they need. */
  readonly tag?: string
  readonly table: IndexTable
}

const noNames: readonly Name[] = []
const noProviders: Provider[] = []

/** A name that packages bear or provide, and that dependencies are about. */
export class Name {
  readonly text: string
  readonly id: number
  #providers = noProviders
  #triggered: Set<Name> | undefined
  #triggers: readonly Name[] | undefined

  constructor(text: string, id: number) {
    this.text = text
    this.id = id
  }

  /** Packages that bear or provide it, in the order of the indexes. */
  get providers(): readonly Provider[] {
    return this.#providers
  }

  providedBy(provider: Provider): void {
    if (this.#providers === noProviders) this.#providers = [provider]
    else this.#providers.push(provider)
  }

  /** Names of packages that come by themselves once this one is installed (`install_if`), in apk's order. */
  get triggers(): readonly Name[] {
    this.#triggers ??= this.#triggered ? [...this.#triggered].sort(compareVisits) : noNames
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
  readonly target: Name
  readonly version: string | undefined
}

/** A package that a repository offers. What it depends on is read when it is first asked for: most are never looked at. */
export class Candidate {
  readonly name: Name
  readonly version: string
  readonly id: number
  /** The first repository that has it, by its place among all. */
  readonly repository: number
  /** Tags of the repositories that have it, as bits; bit 0 stands for those without a tag. */
  tags: number
  readonly provides: readonly Provider[]
  readonly #table: IndexTable
  readonly #index: number
  readonly #names: readonly Name[]
  #depends: readonly Need[] | undefined
  #installIf: readonly Need[] | undefined
  #entry: IndexEntry | undefined

  /** `names` are those of the table, by its numbers; `index` is the package's place in it. */
  constructor(
    { table, names }: { readonly table: IndexTable; readonly names: readonly Name[] },
    index: number,
    id: number,
    repository: number,
    tags: number,
  ) {
    this.#table = table
    this.#index = index
    this.#names = names
    this.id = id
    this.repository = repository
    this.tags = tags
    this.name = names[table.name(index)]!
    this.version = table.version(index)
    this.provides = table.provides(index, (name, _, version) => ({ candidate: this, target: names[name]!, version }))
  }

  get checksum(): string {
    return this.#table.checksum(this.#index)
  }

  get hasFiles(): boolean {
    return this.#table.hasFiles(this.#index)
  }

  get providerPriority(): number {
    return this.#table.providerPriority(this.#index)
  }

  get depends(): readonly Need[] {
    this.#depends ??= this.#table.depends(this.#index, this.#need)
    return this.#depends
  }

  get installIf(): readonly Need[] {
    this.#installIf ??= this.#table.installIf(this.#index, this.#need)
    return this.#installIf
  }

  /** Names of `installIf`: it comes by itself once they are there. */
  get waitsFor(): readonly Name[] {
    return this.#table.waits(this.#index) ? this.#table.installIf(this.#index, (name) => this.#names[name]!) : noNames
  }

  /** All that the index says of it. */
  get entry(): IndexEntry {
    this.#entry ??= this.#table.entry(this.#index)
    return this.#entry
  }

  /** `name-version`, as apk writes it. */
  get text(): string {
    return `${this.name.text}-${this.version}`
  }

  /** Throws `APK_DEPENDENCY` for a word that is no dependency. */
  readonly #need: TakeWord<Need> = (name, marks, text) => {
    const target = this.#names[name]!
    if ((marks & mark.raw) !== 0) return { ...parseDependency(text!, `${this.text}, in the index`), target }
    return {
      name: target.text,
      conflict: (marks & mark.conflict) !== 0,
      version: text,
      relations: marks >> mark.relationShift,
      fuzzy: (marks & mark.fuzzy) !== 0,
      checksum: (marks & mark.checksum) !== 0,
      tag: undefined,
      target,
    }
  }
}

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
    for (const [repository, { tag, table }] of repositories.entries()) {
      const bit = 1 << (tag === undefined ? 0 : this.#tag(tag))
      const own = { table, names: table.names.map((text) => this.name(text)) }
      for (let index = 0; index < table.count; index++) {
        const checksum = table.checksum(index)
        const same = byChecksum.get(checksum)
        if (same) same.tags |= bit
        else {
          const candidate = new Candidate(own, index, this.candidates.length, repository, bit)
          byChecksum.set(checksum, candidate)
          this.#add(candidate)
        }
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

  #add(candidate: Candidate): void {
    const { name, version, provides } = candidate
    this.candidates.push(candidate)
    name.providedBy({ candidate, target: name, version })
    for (const provider of provides) provider.target.providedBy(provider)
    for (const trigger of candidate.waitsFor) {
      trigger.triggersAlso(name)
      for (const { target } of provides) trigger.triggersAlso(target)
    }
  }
}
