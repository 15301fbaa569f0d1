// What follows from what: constraints go down to dependencies, and what became impossible comes back up.
import { ZosError } from '@zos/core'
import { compareVisits } from './name-order.js'
import { fulfils, type NameState, type Search } from './state.js'
import type { Candidate, Name, Need } from './universe.js'

/** Chains of dependencies beyond this are no packages that anybody made. */
const deepest = 2000

/** Makes a name and all that its providers may need known to the search. */
export const discover = (search: Search, name: Name, level = 0): NameState => {
  const state = search.name(name)
  if (state.isSeen) return state
  if (level > deepest)
    throw new ZosError('ALPINE_UNSOLVABLE', `${name.text}: dependencies in a chain of more than ${deepest}`)
  state.isSeen = true
  search.seen.push(state)
  for (const { candidate } of state.providers) {
    const own = search.candidate(candidate)
    if (!own.isSeen) {
      own.see(candidate)
      for (const { target } of candidate.depends)
        own.depth = Math.max(own.depth, discover(search, target, level + 1).depth + 1)
    }
    state.depth = Math.max(state.depth, own.depth)
    state.isUntriggerable &&= own.isUntriggerable
  }
  for (const { candidate } of state.providers) {
    for (const triggered of candidate.name.triggers) discover(search, triggered, level + 1)
    for (const { target } of candidate.provides)
      if (!search.name(target).isSeen) for (const triggered of target.triggers) discover(search, triggered, level + 1)
  }
  return state
}

/** Notes for every name that was found which names depend on it, in apk's order. */
export const linkDependents = (search: Search): void => {
  for (const state of search.seen.sort((a, b) => compareVisits(a.name, b.name))) {
    for (const { candidate } of state.providers)
      for (const { target } of candidate.depends) {
        const { dependents } = search.name(target)
        if (dependents.at(-1) !== state) dependents.push(state)
      }
  }
}

/** What depends on the name has to be looked at again. */
export const reviewDependents = (search: Search, state: NameState): void => {
  for (const dependent of state.dependents) {
    dependent.reviewDepends = true
    search.queueDirty(dependent)
  }
}

/** So has what comes by itself once the name is there. */
export const reviewTriggered = (search: Search, name: Name): void => {
  for (const triggered of name.triggers) {
    const state = search.name(triggered)
    if (!state.isSeen || state.isUntriggerable) continue
    state.reviewTriggers = true
    search.queueDirty(state)
  }
}

export const reviewTriggeredBy = (search: Search, candidate: Candidate): void => {
  reviewTriggered(search, candidate.name)
  for (const { target } of candidate.provides) reviewTriggered(search, target)
}

export const disqualify = (search: Search, candidate: Candidate): void => {
  search.candidate(candidate).isSelectable = false
  reviewDependents(search, search.name(candidate.name))
  for (const { target } of candidate.provides) reviewDependents(search, search.name(target))
  reviewTriggeredBy(search, candidate)
}

/** A package gets the tags of what asks for it; `from` is missing for the world, which has its own. */
export const inheritTags = (search: Search, candidate: Candidate, from: Candidate | number): void => {
  const state = search.candidate(candidate)
  if (typeof from === 'number') {
    state.allowed |= from
    state.isTagPreferred = (candidate.tags & from) !== 0
  } else state.allowed |= search.candidate(from).allowed
  if ((candidate.tags & state.allowed) !== 0) state.isTagAllowed = true
}

const requirersChanged = (search: Search, state: NameState): void => {
  search.queueUnresolved(state)
  reviewTriggered(search, state.name)
  search.queueDirty(state)
}

/** A dependency counts from now on: of a chosen package, or of the world with the bits of its tag. */
export const constrain = (search: Search, need: Need, from: Candidate | number): void => {
  const state = search.name(need.target)
  if (!need.conflict) {
    state.requirers++
    if (state.requirers === 1) requirersChanged(search, state)
  }
  for (const provider of state.providers) {
    const { candidate } = provider
    const own = search.candidate(candidate)
    const isRight = fulfils(need, provider)
    if (!isRight) own.conflicts++
    if (own.isSelectable && own.conflicts > 0) disqualify(search, candidate)
    if (isRight) inheritTags(search, candidate, from)
  }
}

/** Whether some choice can still fulfil a dependency. */
const isPossible = (search: Search, need: Need): boolean => {
  const state = search.name(need.target)
  if (state.isLocked) return fulfils(need, state.chosen)
  if (state.requirers === 0 && fulfils(need, undefined)) return true
  return state.providers.some(
    (provider) => search.candidate(provider.candidate).isSelectable && fulfils(need, provider),
  )
}

/** What all options have in common comes in any case; so it can count before one of them is chosen. */
const shareDepends = (search: Search, first: Candidate, options: number): void => {
  for (const need of first.depends) {
    const state = search.name(need.target)
    const isShared = state.sharedDepends === options
    state.sharedDepends = 0
    if (!isShared) continue
    if (options === 1) constrain(search, need, first)
    else if (state.requirers === 0) {
      state.requirers++
      requirersChanged(search, state)
      for (const { candidate } of state.providers) inheritTags(search, candidate, first)
    }
  }
}

/** Where all options of a name provide another one too, a package that has that one has to have this one. */
const shareProvides = (search: Search, state: NameState, first: Candidate, options: number): void => {
  const provided = [first.name, ...first.provides.map(({ target }) => target)].map((name) => search.name(name))
  for (const other of provided) {
    const isShared = other.sharedProvides === options
    other.sharedProvides = 0
    if (isShared && other !== state) excludeOthers(search, other, state, other.sharedVirtually)
  }
  for (const other of provided) other.sharedVirtually = false
}

const excludeOthers = (search: Search, state: NameState, must: NameState, spareVirtuals: boolean): void => {
  for (const { candidate, version } of state.providers) {
    if (candidate.name === must.name || !search.candidate(candidate).isSelectable) continue
    if (spareVirtuals && version === undefined) continue
    const isSpared = candidate.provides.some(
      (one) => one.target === must.name || (spareVirtuals && one.version === undefined),
    )
    if (!isSpared) disqualify(search, candidate)
  }
}

/** Counts one more option where all before it had the name too. */
const share = (field: 'sharedDepends' | 'sharedProvides', state: NameState, before: number): boolean => {
  if (state[field] !== before) return false
  state[field] = before + 1
  return true
}

/** Whether a package comes by itself, as far as it is decided. */
const reviewInstallIf = (search: Search, candidate: Candidate): void => {
  const own = search.candidate(candidate)
  if (!own.isTriggered && !own.isUntriggerable) {
    const openAt = candidate.installIf.findIndex(({ target }) => !search.name(target).isLocked)
    const decided = openAt < 0 ? candidate.installIf : candidate.installIf.slice(0, openAt)
    own.isUntriggerable = !decided.every((need) => fulfils(need, search.name(need.target).chosen))
    own.isTriggered = openAt < 0 && !own.isUntriggerable
  }
  if (own.isTriggered)
    for (const { target } of candidate.installIf)
      inheritTags(search, candidate, search.name(target).chosen?.candidate ?? 0)
}

/** Looks at all providers of a name again, and passes on what they have in common. */
export const reconsider = (search: Search, state: NameState): void => {
  const { reviewDepends, reviewTriggers } = state
  state.reviewDepends = false
  state.reviewTriggers = false
  let first: Candidate | undefined
  let options = 0
  let isTagOpen = false
  let isTriggered = false
  let isUntriggerable = true
  for (const { candidate, version } of state.providers) {
    const own = search.candidate(candidate)
    own.isOption = false
    if (reviewDepends && own.isSelectable && !candidate.depends.every((need) => isPossible(search, need)))
      disqualify(search, candidate)
    if (!own.isSelectable) continue
    if (reviewTriggers) reviewInstallIf(search, candidate)
    isTriggered ||= own.isTriggered
    isUntriggerable &&= own.isUntriggerable
    if (state.requirers === 0) continue

    own.isOption = true
    first ??= candidate
    for (const { conflict, target } of candidate.depends)
      if (!conflict) share('sharedDepends', search.name(target), options)
    const principal = search.name(candidate.name)
    if (share('sharedProvides', principal, options)) principal.sharedVirtually ||= version === undefined
    for (const one of candidate.provides) {
      const other = search.name(one.target)
      if (share('sharedProvides', other, options)) other.sharedVirtually ||= one.version === undefined
    }
    isTagOpen ||= !own.isTagAllowed
    options++
  }
  state.hasOptions = options > 1 || isTagOpen
  state.isTriggered = isTriggered
  state.isUntriggerable = isUntriggerable
  search.queueUnresolved(state)
  if (first) {
    for (const { candidate } of state.providers) {
      const own = search.candidate(candidate)
      own.wasOption = own.isOption
    }
    shareDepends(search, first, options)
    shareProvides(search, state, first, options)
  }
  state.dependentsDone = state.dependents.every(({ isLocked }) => isLocked)
}
