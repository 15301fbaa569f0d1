import { versionFits } from '../format/dependency.js'
import type { Candidate, Name, Need, Provider } from './universe.js'

/** Bit of the repositories without a tag. */
export const untagged = 1

/** What is known of a name while a solution is looked for. */
export class NameState {
  readonly name: Name
  readonly providers: readonly Provider[]
  /** Names whose packages depend on this one, as far as they matter here. */
  readonly dependents: NameState[] = []
  /** The search has looked at it and at all that its providers need. */
  isSeen = false
  /** The choice is made; without `chosen` nothing has the name. */
  isLocked = false
  chosen: Provider | undefined
  /** Dependencies that ask for it. */
  requirers = 0
  /** The longest chain of dependencies below it. */
  depth = 0
  /** Somebody named it in the world. */
  isAsked = false
  isDirty = false
  /** Its providers' dependencies, or what makes them come by themselves, have to be looked at again. */
  reviewDepends = false
  reviewTriggers = false
  /** A provider comes by itself; none can any more. */
  isTriggered = false
  isUntriggerable = true
  /** More than one provider is left, or one from a repository that is not allowed. */
  hasOptions = false
  /** No open name depends on it: nothing can change any more. */
  dependentsDone = false
  /** How many of the options looked at have it among their dependencies, or provide it. */
  sharedDepends = 0
  sharedProvides = 0
  sharedVirtually = false
  isOrdered = false

  /** 0: only packages of that name have it; 1: others provide it too; 2: others only. */
  readonly kind: 0 | 1 | 2

  constructor(name: Name) {
    this.name = name
    this.providers = name.providers
    let others = 0
    for (const { candidate } of this.providers) if (candidate.name !== name) others++
    this.kind = others === 0 ? 0 : others < this.providers.length ? 1 : 2
  }
}

/** What is known of a package while a solution is looked for. */
export class CandidateState {
  isSeen = false
  /** The longest chain of dependencies below it. */
  depth = 0
  /** Dependencies that it does not fulfil. */
  conflicts = 0
  isSelectable = false
  /** Tags of repositories that it may come from, as bits. */
  allowed = untagged
  isTagAllowed = false
  isTagPreferred = false
  /** It is, or was when dependencies were last shared, one of a name's options. */
  isOption = false
  wasOption = false
  /** All that makes it come by itself is there; never will be. */
  isTriggered = false
  isUntriggerable = false
  isOrdered = false
  hasError = false

  see({ tags, hasFiles, waitsFor }: Candidate): void {
    this.isSeen = true
    this.isSelectable = true
    // Packages without files may come from anywhere, as apk has it.
    this.isTagPreferred = !hasFiles || (tags & untagged) !== 0
    this.isTagAllowed = this.isTagPreferred
    this.isUntriggerable = waitsFor.length === 0
  }
}

/** All states of one search, and what is still to do. */
export class Search {
  /** In the order in which they were found. */
  readonly seen: NameState[] = []
  readonly #names: (NameState | undefined)[] = []
  readonly #candidates: (CandidateState | undefined)[] = []
  readonly dirty: NameState[] = []
  #dirtyAt = 0
  /** Names to decide; the one added last comes first. */
  readonly unresolved: NameState[] = []
  errors = 0

  name(name: Name): NameState {
    let state = this.#names[name.id]
    if (!state) {
      state = new NameState(name)
      this.#names[name.id] = state
    }
    return state
  }

  candidate(candidate: Candidate): CandidateState {
    let state = this.#candidates[candidate.id]
    if (!state) {
      state = new CandidateState()
      this.#candidates[candidate.id] = state
    }
    return state
  }

  nextDirty(): NameState | undefined {
    while (this.#dirtyAt < this.dirty.length) {
      const state = this.dirty[this.#dirtyAt++]!
      if (!state.isDirty) continue
      state.isDirty = false
      return state
    }
    this.dirty.length = this.#dirtyAt = 0
    return undefined
  }

  queueDirty(state: NameState): void {
    if (state.isDirty || state.isLocked || (state.requirers === 0 && !state.reviewTriggers)) return
    state.isDirty = true
    this.dirty.push(state)
  }

  queueUnresolved(state: NameState): void {
    if (state.isLocked) return
    const isWanted = state.requirers > 0 || state.isTriggered
    const at = this.unresolved.indexOf(state)
    if (isWanted && at < 0) this.unresolved.push(state)
    else if (!isWanted && at >= 0) this.unresolved.splice(at, 1)
  }

  error(candidate: Candidate | undefined): void {
    if (!candidate) return
    const state = this.candidate(candidate)
    if (state.hasError) return
    state.hasError = true
    this.errors++
  }
}

/** Whether a provider, or nothing, is what a dependency wants. */
export const fulfils = (need: Need, provider: Provider | undefined): boolean => {
  if (!provider) return need.conflict
  return versionFits(need, provider.version, provider.candidate.checksum) !== need.conflict
}
