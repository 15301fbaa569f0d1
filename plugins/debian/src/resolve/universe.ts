import type { BinaryPackage, Suite } from '../archive/binary-package.js'
import { type Relation, versionAnswers } from '../control/dependency.js'
import { compareVersions } from '../control/version.js'

/** A package that stands in for a name, and as which version. */
export interface Provider {
  readonly binary: BinaryPackage
  readonly version?: string
}

/** apt's priorities (apt_preferences(5)) for suites that nobody pinned. */
const pinOf = (suite: Suite): number => (suite.notAutomatic ? (suite.butAutomaticUpgrades ? 100 : 1) : 500)

const isNamePart = (character: string | undefined): boolean => character !== undefined && /[a-z0-9+.-]/.test(character)

/** Every package that the enabled suites offer for one architecture, by name. Immutable once made. */
export class Universe {
  readonly architecture: string
  readonly #versions = new Map<string, BinaryPackage[]>()
  readonly #providers = new Map<string, Provider[]>()
  /** Suites that have the very same package as one listed before; the first one listed is used. */
  readonly #alsoIn = new Map<BinaryPackage, Suite[]>()
  readonly #listed: BinaryPackage[] = []
  #mentions: string | undefined
  readonly #mentioned = new Map<string, number>()

  /** `packages` come in the order of the suites; other architectures are left out. */
  constructor(packages: Iterable<BinaryPackage>, architecture: string) {
    this.architecture = architecture
    for (const binary of packages) {
      if (binary.architecture !== architecture && binary.architecture !== 'all') continue
      const versions = this.#versions.get(binary.name)
      const same = versions?.find(({ version, sha256 }) => version === binary.version && sha256 === binary.sha256)
      if (same) {
        const suites = this.#alsoIn.get(same)
        if (suites) suites.push(binary.suite)
        else this.#alsoIn.set(same, [binary.suite])
        continue
      }
      this.#listed.push(binary)
      if (versions) versions.push(binary)
      else this.#versions.set(binary.name, [binary])
      for (const { name, version } of binary.provides) {
        const provider: Provider = { binary, ...(version !== undefined && { version }) }
        const providers = this.#providers.get(name)
        if (providers) providers.push(provider)
        else this.#providers.set(name, [provider])
      }
    }
  }

  versionsOf(name: string): readonly BinaryPackage[] {
    return this.#versions.get(name) ?? []
  }

  providersOf(name: string): readonly Provider[] {
    return this.#providers.get(name) ?? []
  }

  suitesOf(binary: BinaryPackage): readonly Suite[] {
    return [binary.suite, ...(this.#alsoIn.get(binary) ?? [])]
  }

  /** All real names and all names that are only provided. */
  *names(): Iterable<string> {
    yield* this.#versions.keys()
    for (const name of this.#providers.keys()) if (!this.#versions.has(name)) yield name
  }

  packages(): readonly BinaryPackage[] {
    return this.#listed
  }

  /** What apt would install: the highest priority, then the highest version. */
  candidateOf(name: string): BinaryPackage | undefined {
    let best: BinaryPackage | undefined
    let bestPin = 0
    for (const binary of this.versionsOf(name)) {
      const pin = Math.max(...this.suitesOf(binary).map(pinOf))
      if (!best || pin > bestPin || (pin === bestPin && compareVersions(binary.version, best.version) > 0)) {
        best = binary
        bestPin = pin
      }
    }
    return best
  }

  /** The newest version of a name that a suite has, by its name or an alias. */
  versionIn(name: string, suite: string): BinaryPackage | undefined {
    let best: BinaryPackage | undefined
    for (const binary of this.versionsOf(name))
      if (this.suitesOf(binary).some((known) => known.name === suite || known.aliases?.includes(suite)))
        if (!best || compareVersions(binary.version, best.version) > 0) best = binary
    return best
  }

  /** Where a name is first mentioned in the lists, as a package or by one: apt's last resort between providers. */
  firstMention(name: string): number {
    const known = this.#mentioned.get(name)
    if (known !== undefined) return known
    // One long text is searched many times faster than half a million short ones; made only when two providers tie.
    this.#mentions ??= this.#listed.map(({ name: own, mentions }) => [own, ...mentions].join('\n')).join('\n')
    const text = this.#mentions
    const isWhole = (at: number) => !isNamePart(text[at - 1]) && !/[a-z0-9+.:-]/.test(text[at + name.length] ?? '')
    let place = text.indexOf(name)
    while (place >= 0 && !isWhole(place)) place = text.indexOf(name, place + 1)
    const found = place < 0 ? text.length : place
    this.#mentioned.set(name, found)
    return found
  }

  /** Whether this very package answers a relation: by its own name and version, or by what it provides. */
  answers(binary: BinaryPackage, relation: Relation): boolean {
    if (!this.#qualifies(binary, relation)) return false
    if (binary.name === relation.name && versionAnswers(relation, binary.version)) return true
    return binary.provides.some(({ name, version }) => name === relation.name && versionAnswers(relation, version))
  }

  /** Packages that bear a name or provide it, each once, whatever their version. */
  *bearersOf(name: string): Iterable<BinaryPackage> {
    yield* this.versionsOf(name)
    const seen = new Set<BinaryPackage>()
    for (const { binary } of this.providersOf(name)) {
      if (binary.name === name || seen.has(binary)) continue
      seen.add(binary)
      yield binary
    }
  }

  /** `name:any` takes only what declares itself `Multi-Arch: allowed`; a foreign architecture is never here. */
  #qualifies(binary: BinaryPackage, { qualifier }: Relation): boolean {
    if (qualifier === undefined || qualifier === 'native' || qualifier === this.architecture) return true
    return qualifier === 'any' && binary.multiArch === 'allowed'
  }
}
