// Which package a name gets.
import { compareVersions } from '../format/version.js'
import { constrain, disqualify, reviewDependents, reviewTriggered, reviewTriggeredBy } from './propagate.js'
import type { NameState, Search } from './state.js'
import type { Provider } from './universe.js'

/** Versions of which one is missing are in no order. */
const versionOrder = (a: string | undefined, b: string | undefined): number =>
  a === undefined || b === undefined ? 0 : compareVersions(a, b)

/** Positive where `a` is the better one; the reasons in apk's order. */
const comparePreference = (search: Search, a: Provider, b: Provider): number => {
  const [left, right] = [search.candidate(a.candidate), search.candidate(b.candidate)]
  const [ours, theirs] = [a.candidate, b.candidate]
  return (
    Number(left.isSelectable) - Number(right.isSelectable) ||
    Number(left.wasOption) - Number(right.wasOption) ||
    right.conflicts - left.conflicts ||
    Number(left.isTagAllowed) - Number(right.isTagAllowed) ||
    Number(left.isTagPreferred) - Number(right.isTagPreferred) ||
    versionOrder(a.version, b.version) ||
    (ours.name === theirs.name ? versionOrder(ours.version, theirs.version) : 0) ||
    ours.providerPriority - theirs.providerPriority ||
    theirs.repository - ours.repository
  )
}

/**
 * Whether a package that only stands in for a name may be taken unasked: when it has a priority among its like, or
 * something asks for the package itself.
 */
const isVirtualTaken = (search: Search, { candidate, version }: Provider): boolean =>
  version !== undefined || search.name(candidate.name).requirers > 0 || candidate.providerPriority > 0

const lock = (search: Search, state: NameState, chosen: Provider | undefined): void => {
  if (state.isLocked) {
    if (chosen?.version === undefined && state.chosen?.version === undefined) return
    // Two packages provide one name in a version.
    search.error(chosen?.candidate)
    search.error(state.chosen?.candidate)
    return
  }
  state.isLocked = true
  state.chosen = chosen
  state.isDirty = false
  const at = search.unresolved.indexOf(state)
  if (at >= 0) search.unresolved.splice(at, 1)
  for (const { candidate, version } of state.providers)
    if (candidate !== chosen?.candidate && (chosen?.version !== undefined || version !== undefined))
      disqualify(search, candidate)
  reviewDependents(search, state)
  if (chosen) reviewTriggeredBy(search, chosen.candidate)
  else reviewTriggered(search, state.name)
}

/** Decides a name for good: its best provider, or that nothing has it. */
export const choose = (search: Search, state: NameState): void => {
  let best: Provider | undefined
  if (state.requirers > 0 || state.isTriggered)
    for (const provider of state.providers) {
      const own = search.candidate(provider.candidate)
      if (state.requirers === 0 && !(own.isTriggered && own.isTagAllowed)) continue
      if (!isVirtualTaken(search, provider)) continue
      if (!best || comparePreference(search, provider, best) > 0) best = provider
    }
  if (!best) {
    lock(search, state, undefined)
    if (state.requirers > 0) search.errors++
    return
  }
  const { candidate } = best
  const own = search.candidate(candidate)
  if (!own.isSelectable || !own.isTagAllowed) search.error(candidate)
  lock(search, search.name(candidate.name), { candidate, target: candidate.name, version: candidate.version })
  for (const provider of candidate.provides) lock(search, search.name(provider.target), provider)
  for (const need of candidate.depends) constrain(search, need, candidate)
}

/** Negative where `a` is decided before `b`. */
const compareTurn = (a: NameState, b: NameState): number =>
  Number(b.isAsked) - Number(a.isAsked) ||
  a.kind - b.kind ||
  b.depth - a.depth ||
  Number(b.requirers > 0) - Number(a.requirers > 0)

/** The name to decide next: one that nothing can change any more, else the best of all by `compareTurn`. */
export const nextName = (search: Search): NameState | undefined => {
  let next: NameState | undefined
  for (let at = search.unresolved.length - 1; at >= 0; at--) {
    const state = search.unresolved[at]!
    if (state.dependentsDone && state.requirers > 0 && !state.hasOptions) return state
    if (!next || compareTurn(state, next) < 0) next = state
  }
  return next
}
