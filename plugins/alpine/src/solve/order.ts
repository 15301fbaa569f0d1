// In which order the chosen packages are installed: what a package needs comes before it, and what comes by itself as
// soon as all is there that it waits for.
import { fulfils, type Search } from './state.js'
import type { Candidate, Name, Need } from './universe.js'

/** Packages in install order; those that a dependency is missing for are errors of the search. */
export const installOrder = (search: Search, world: readonly Need[]): Candidate[] => {
  const ordered: Candidate[] = []
  const follow = (need: Need, from: Candidate | undefined): void => {
    const { chosen } = search.name(need.target)
    if (!fulfils(need, chosen)) search.error(from)
    take(need.target)
    if (chosen && search.candidate(chosen.candidate).hasError) search.error(from)
  }
  const take = (name: Name): void => {
    const state = search.name(name)
    if (state.isOrdered) return
    state.isOrdered = true
    const candidate = state.chosen?.candidate
    if (!candidate || search.candidate(candidate).isOrdered) return
    search.candidate(candidate).isOrdered = true
    search.name(candidate.name).isOrdered = true
    for (const { target } of candidate.provides) search.name(target).isOrdered = true
    for (const need of candidate.depends) follow(need, candidate)
    ordered.push(candidate)
    for (const triggered of candidate.name.triggers) takeTriggered(triggered)
    for (const { target } of candidate.provides) for (const triggered of target.triggers) takeTriggered(triggered)
  }
  const takeTriggered = (name: Name): void => {
    const state = search.name(name)
    if (!state.isSeen || state.isOrdered || !state.chosen) return
    const isReady = state.chosen.candidate.installIf.every((need) => {
      const by = search.name(need.target)
      return by.isOrdered && fulfils(need, by.chosen)
    })
    if (isReady) take(name)
  }
  for (const need of world) follow(need, undefined)
  return ordered
}
