// The solver: the semantics of apk-tools 2.14 on a system with nothing installed. Nothing is tried and taken back:
// constraints are passed on until a name has one provider left, or the best one is chosen.
import type { Dependency } from '../format/dependency.js'
import { choose, nextName } from './choose.js'
import { installOrder } from './order.js'
import { constrain, discover, linkDependents, reconsider } from './propagate.js'
import { Search, untagged } from './state.js'
import type { Candidate, Need, Universe } from './universe.js'

/** What a search came to: packages in install order. Only without errors is it a solution. */
export interface Outcome {
  readonly packages: readonly Candidate[]
  readonly errors: number
  readonly search: Search
  readonly world: readonly Need[]
}

/** Names without regard to case, then with it: apk's order of the world. */
const displayOrder = (a: string, b: string): number => {
  const [left, right] = [lower(a), lower(b)]
  return left < right ? -1 : left > right ? 1 : a < b ? -1 : a > b ? 1 : 0
}
const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** The bits of the repositories that a dependency of the world may be answered from beside those without a tag. */
const tagBits = ({ tag }: Dependency, universe: Universe): number =>
  tag === undefined ? untagged : 1 << (universe.tagNumber(tag) ?? 0)

/** Looks for the packages that a world needs; each name is in it once. */
export const search = (universe: Universe, dependencies: readonly Dependency[]): Outcome => {
  const world = dependencies
    .map((dependency): Need => ({ ...dependency, target: universe.name(dependency.name) }))
    .sort((a, b) => displayOrder(a.name, b.name))
  const found = new Search()
  for (const { target } of world) discover(found, target)
  linkDependents(found)
  for (const { target } of world) found.name(target).isAsked = true
  for (const need of world) {
    if (need.tag !== undefined && universe.tagNumber(need.tag) === undefined) found.errors++
    constrain(found, need, tagBits(need, universe))
  }
  for (;;) {
    for (let dirty = found.nextDirty(); dirty; dirty = found.nextDirty()) reconsider(found, dirty)
    const next = nextName(found)
    if (!next) break
    choose(found, next)
  }
  const packages = installOrder(found, world)
  return { packages, errors: found.errors, search: found, world }
}
