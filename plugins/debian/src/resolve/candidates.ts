import { type BinaryPackage, relationsIn } from '../archive/binary-package.js'
import type { Alternatives, Relation } from '../control/dependency.js'
import type { Universe } from './universe.js'

/** Why no version of a name can be installed. */
export interface Discard {
  readonly kind: 'needs' | 'forbidden'
  readonly text: string
}

/** Which version of each name may be installed: apt's choice, changed by requests and by what turns out impossible. */
export class Candidates {
  readonly #universe: Universe
  readonly #found = new Map<string, BinaryPackage | undefined>()
  readonly #why = new Map<string, Discard>()

  /** `prefer`: versions by name that go before apt's choice, where they are offered. */
  constructor(universe: Universe, prefer: ReadonlyMap<string, string> = new Map()) {
    this.#universe = universe
    for (const [name, version] of prefer) {
      const binary = universe.versionsOf(name).find((offered) => offered.version === version)
      if (binary) this.set(binary)
    }
  }

  of(name: string): BinaryPackage | undefined {
    if (this.#found.has(name)) return this.#found.get(name)
    const candidate = this.#universe.candidateOf(name)
    this.#found.set(name, candidate)
    return candidate
  }

  set(binary: BinaryPackage): void {
    this.#found.set(binary.name, binary)
  }

  /** From now on no version of this name can be installed, for the reason given. */
  discard(name: string, why: Discard): void {
    this.#found.set(name, undefined)
    if (!this.#why.has(name)) this.#why.set(name, why)
  }

  whyDiscarded(name: string): Discard | undefined {
    return this.#why.get(name)
  }

  /** Candidates that answer a relation, in the order that apt tries them. */
  answersTo(relation: Relation): BinaryPackage[] {
    const found: BinaryPackage[] = []
    for (const binary of this.#universe.bearersOf(relation.name))
      if (this.of(binary.name) === binary && this.#universe.answers(binary, relation)) found.push(binary)
    return found.length < 2 ? found : found.sort(compareProviders(this.#universe, relation.name))
  }

  /** Candidates that answer any of the alternatives, each once, first alternative first. */
  answersToAny(alternatives: Alternatives): BinaryPackage[] {
    return [...new Set(alternatives.flatMap((relation) => this.answersTo(relation)))]
  }

  /** Whether each thing that a package needs has a candidate; what those need in turn is not looked at. */
  hasWhatItNeeds(binary: BinaryPackage): boolean {
    return [...relationsIn(binary, 'Pre-Depends'), ...relationsIn(binary, 'Depends')].every((group) =>
      group.some((relation) => this.answersTo(relation).length > 0),
    )
  }

  /**
   * Takes a package from a suite, and from the same suite what it needs in versions that the other suites do not have
   * (`apt-get install name/suite` does the same). Gives back whether all of that was there.
   */
  preferSuite(binary: BinaryPackage, suite: string, changed = new Set<string>()): boolean {
    this.set(binary)
    changed.add(binary.name)
    let complete = true
    for (const group of [...relationsIn(binary, 'Pre-Depends'), ...relationsIn(binary, 'Depends')]) {
      const fine = group.some((relation) => this.answersTo(relation).some((answer) => this.hasWhatItNeeds(answer)))
      if (fine) continue
      complete = this.#switchOne(group, suite, changed) && complete
    }
    return complete
  }

  #switchOne(group: Alternatives, suite: string, changed: Set<string>): boolean {
    for (const relation of group) {
      const other = relation.operator && this.#universe.versionIn(relation.name, suite)
      if (!other || !this.#universe.answers(other, relation)) continue
      if (changed.has(other.name)) return true
      const before = this.of(other.name)
      if (this.preferSuite(other, suite, changed)) return true
      if (before) this.set(before)
      changed.delete(other.name)
    }
    return false
  }
}

/** A package of the wanted name, essential ones, important ones, higher priority; then the one mentioned last. */
const compareProviders = (universe: Universe, wanted: string) => (a: BinaryPackage, b: BinaryPackage) =>
  Number(b.name === wanted) - Number(a.name === wanted) ||
  Number(b.essential) - Number(a.essential) ||
  Number(b.important) - Number(a.important) ||
  a.priority - b.priority ||
  universe.firstMention(b.name) - universe.firstMention(a.name)
