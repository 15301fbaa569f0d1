import { type Dependency, dependencyText } from '../format/dependency.js'
import { search } from './solve.js'
import type { Candidate, Universe } from './universe.js'
import { unsolvable } from './unsolvable.js'

/** A package of a solution, and what it is there for. */
export interface Chosen {
  readonly candidate: Candidate
  /** Packages whose dependency it fulfils or that make it come by themselves, sorted; `world` where it was asked for. */
  readonly by: readonly string[]
}

/** The packages that a world needs, in install order. Throws `ALPINE_UNSOLVABLE` with the chain that conflicts. */
export const solve = (universe: Universe, world: readonly WorldDependency[]): Chosen[] => {
  const outcome = search(
    universe,
    world.map(({ dependency }) => dependency),
  )
  if (outcome.errors > 0) throw unsolvable(universe, outcome, world)
  const by = new Map<Candidate, Set<string>>(outcome.packages.map((candidate) => [candidate, new Set()]))
  const chosen = (name: Dependency & { readonly target: Parameters<typeof outcome.search.name>[0] }) =>
    name.conflict ? undefined : outcome.search.name(name.target).chosen?.candidate
  for (const need of outcome.world) add(by, chosen(need), 'world')
  for (const candidate of outcome.packages) {
    for (const need of candidate.depends) add(by, chosen(need), candidate.name.text)
    if (by.get(candidate)!.size > 0) continue
    // Nothing depends on it: it is there because of others that are.
    for (const need of candidate.installIf) {
      const reason = chosen(need)
      if (reason) by.get(candidate)!.add(reason.name.text)
    }
  }
  return outcome.packages.map((candidate) => ({ candidate, by: [...by.get(candidate)!].sort() }))
}

/** A dependency of the world and who has it there. */
export interface WorldDependency {
  readonly dependency: Dependency
  readonly by: string
}

const add = (by: Map<Candidate, Set<string>>, candidate: Candidate | undefined, reason: string): void => {
  if (candidate && candidate.name.text !== reason) by.get(candidate)?.add(reason)
}

/** How people read a world. */
export const worldText = (world: readonly WorldDependency[]): string =>
  world.map(({ dependency }) => dependencyText(dependency)).join(' ')
