import { type BinaryPackage, relationsIn } from '../archive/binary-package.js'
import type { Alternatives, Relation } from '../control/dependency.js'
import type { Universe } from './universe.js'

/** Why a package was chosen: somebody asked for it, or a chosen package needs it. */
export type Because =
  | { readonly kind: 'requested'; readonly by: string }
  | {
      readonly kind: 'needed'
      readonly parent: string
      readonly field: 'Pre-Depends' | 'Depends'
      readonly group: Alternatives
    }

export interface Chosen {
  readonly binary: BinaryPackage
  readonly because: Because
}

/** Two packages that cannot be together, by a field of `owner`. */
export interface Clash {
  readonly owner: BinaryPackage
  readonly field: 'Conflicts' | 'Breaks'
  readonly relation: Relation
  readonly victim: BinaryPackage
}

interface Ban {
  readonly owner: BinaryPackage
  readonly field: 'Conflicts' | 'Breaks'
  readonly relation: Relation
}

/** What has been chosen so far, with what that forbids; choices can be taken back in reverse order. */
export class Selection {
  readonly #universe: Universe
  readonly #chosen = new Map<string, Chosen>()
  readonly #bans = new Map<string, Ban[]>()
  readonly #order: string[] = []

  constructor(universe: Universe) {
    this.#universe = universe
  }

  get(name: string): Chosen | undefined {
    return this.#chosen.get(name)
  }

  all(): Chosen[] {
    return [...this.#chosen.values()]
  }

  add(binary: BinaryPackage, because: Because): void {
    this.#chosen.set(binary.name, { binary, because })
    this.#order.push(binary.name)
    for (const ban of negativesOf(binary)) {
      const bans = this.#bans.get(ban.relation.name)
      if (bans) bans.push(ban)
      else this.#bans.set(ban.relation.name, [ban])
    }
  }

  /** To be given to `undo` later. */
  mark(): number {
    return this.#order.length
  }

  undo(mark: number): void {
    while (this.#order.length > mark) {
      const name = this.#order.pop()!
      const { binary } = this.#chosen.get(name)!
      this.#chosen.delete(name)
      for (const { relation } of negativesOf(binary)) this.#bans.get(relation.name)!.pop()
    }
  }

  answers(relation: Relation): boolean {
    for (const binary of this.#universe.bearersOf(relation.name))
      if (this.#chosen.get(binary.name)?.binary === binary && this.#universe.answers(binary, relation)) return true
    return false
  }

  answersAny(group: Alternatives): boolean {
    return group.some((relation) => this.answers(relation))
  }

  /** What a package would clash with among the chosen, whichever of the two says so. */
  clashOf(binary: BinaryPackage): Clash | undefined {
    for (const ban of negativesOf(binary))
      for (const victim of this.#universe.bearersOf(ban.relation.name))
        if (this.#chosen.get(victim.name)?.binary === victim && forbids(this.#universe, ban, victim))
          return { ...ban, victim }
    for (const name of [binary.name, ...binary.provides.map((provided) => provided.name)])
      for (const ban of this.#bans.get(name) ?? [])
        if (forbids(this.#universe, ban, binary)) return { ...ban, victim: binary }
    return undefined
  }
}

/** `Conflicts` and `Breaks` of a package, one by one. */
export function* negativesOf(owner: BinaryPackage): Iterable<Ban> {
  for (const field of ['Conflicts', 'Breaks'] as const)
    for (const group of relationsIn(owner, field)) for (const relation of group) yield { owner, field, relation }
}

/** A package never forbids itself: it may conflict with a name that it provides, so as to be the only provider. */
export const forbids = (universe: Universe, { owner, relation }: Ban, victim: BinaryPackage): boolean =>
  owner.name !== victim.name && universe.answers(victim, relation)
