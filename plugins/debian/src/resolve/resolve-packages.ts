import { isZosError, type ZosError } from '@zos/core'
import { type BinaryPackage, describePackage, relationsIn } from '../archive/binary-package.js'
import { formatAlternatives, formatRelation } from '../control/dependency.js'
import { Candidates, type Discard } from './candidates.js'
import { mergeRequests, type PackageRequest } from './request.js'
import { type Because, type Chosen, forbids, negativesOf, Selection } from './selection.js'
import type { Universe } from './universe.js'
import { chainOf, clashFailure, clashIn, type Failure, unknownPackage, unmetFailure, unsolvable } from './unsolvable.js'

export interface ResolveOptions {
  /** Adds every package marked `Essential: yes`. Without it the tree holds what was asked for and no more. */
  readonly essential?: boolean
  /** Versions by name that are taken where they are still offered and nothing forbids it: those of an earlier answer. */
  readonly prefer?: ReadonlyMap<string, string>
}

/** How often a free choice is taken back because something without a choice forbids it. */
const mostRestarts = 100

/**
 * The packages that `apt-get install --no-install-recommends` would install on an empty system, sorted by name:
 * first satisfiable alternative, one that is chosen already before that, a real package before its providers.
 *
 * Throws `DEBIAN_UNKNOWN_PACKAGE`, `DEBIAN_VIRTUAL_PACKAGE`, `DEBIAN_UNSOLVABLE` (with what is missing and who needs
 * it) or `DEBIAN_CONFLICT` (with both packages and who wants each of them).
 */
export const resolvePackages = (
  universe: Universe,
  requests: readonly PackageRequest[],
  options: ResolveOptions = {},
): Chosen[] => {
  const wanted = mergeRequests([...requests, ...(options.essential ? essentialRequests(universe) : [])])
  if (options.prefer && options.prefer.size > 0) {
    try {
      return solve(universe, wanted, options.prefer)
    } catch (error) {
      // Versions of an earlier answer may stand in the way of what is new: then they move.
      if (!isZosError(error)) throw error
    }
  }
  return solve(universe, wanted, new Map())
}

const solve = (
  universe: Universe,
  wanted: readonly PackageRequest[],
  prefer: ReadonlyMap<string, string>,
): Chosen[] => {
  const bans = new Map<string, Discard>()
  let first: ZosError | undefined
  for (let restart = 0; ; restart++) {
    const attempt = new Attempt(universe, prefer, bans)
    const failure = attempt.run(wanted)
    if (!failure) return attempt.result()
    first ??= unsolvable(failure)
    const offender = attempt.freeChoiceIn(failure)
    if (!offender || bans.has(offender.name) || restart >= mostRestarts) throw first
    bans.set(offender.name, offender.why)
  }
}

const essentialRequests = (universe: Universe): PackageRequest[] => {
  const names = new Set<string>()
  for (const binary of universe.packages()) if (universe.candidateOf(binary.name)?.essential) names.add(binary.name)
  return [...names].sort().map((name) => ({ name, by: 'debian({ essential })' }))
}

/** One pass: requests are chosen first, then what they need, depth first, in the order of the control fields. */
class Attempt {
  readonly universe: Universe
  readonly candidates: Candidates
  readonly selection: Selection
  /** Packages without an alternative: nothing that clashes with them may be chosen any more. */
  readonly #firm = new Set<string>()
  readonly #settled = new Set<string>()

  constructor(universe: Universe, prefer: ReadonlyMap<string, string>, bans: ReadonlyMap<string, Discard>) {
    this.universe = universe
    this.candidates = new Candidates(universe, prefer)
    this.selection = new Selection(universe)
    for (const [name, why] of bans) this.candidates.discard(name, why)
  }

  run(requests: readonly PackageRequest[]): Failure | undefined {
    for (const request of requests) {
      const binary = this.#requested(request)
      const because: Because = { kind: 'requested', by: request.by }
      this.candidates.set(binary)
      if (this.selection.get(binary.name)) continue
      const clash = this.selection.clashOf(binary)
      if (clash) return clashFailure(clash, binary, because, this.selection)
      this.selection.add(binary, because)
      this.#firm.add(binary.name)
    }
    const chosen = this.selection.all()
    for (const { name, suite } of requests) {
      const binary = this.selection.get(name)?.binary
      if (suite && binary) this.candidates.preferSuite(binary, suite)
    }
    for (const { binary, because } of chosen) {
      const failure = this.#install(binary, because)
      if (failure) return failure
    }
    return undefined
  }

  result(): Chosen[] {
    return this.selection.all().sort((a, b) => (a.binary.name < b.binary.name ? -1 : 1))
  }

  /** The chosen package that a failure stumbled over, when something else could have been chosen for it. */
  freeChoiceIn(failure: Failure): { readonly name: string; readonly why: Discard } | undefined {
    const clash = clashIn(failure)?.clash
    if (!clash) return undefined
    const [loser, winner] = this.selection.get(clash.victim.name)
      ? [clash.victim, clash.owner]
      : [clash.owner, clash.victim]
    if (this.#firm.has(loser.name)) return undefined
    return { name: loser.name, why: { kind: 'forbidden', text: `it cannot be with ${describePackage(winner)}` } }
  }

  #requested(request: PackageRequest): BinaryPackage {
    const { name, suite, version } = request
    if (suite !== undefined) {
      const found = this.universe.versionIn(name, suite)
      if (found) return found
    } else if (version !== undefined) {
      const found = this.universe.versionsOf(name).find((binary) => binary.version === version)
      if (found) return found
    } else {
      const found = this.candidates.of(name)
      if (found) return found
      const providers = this.candidates.answersTo({ name })
      if (providers.length === 1 && this.universe.versionsOf(name).length === 0) return providers[0]!
    }
    throw unknownPackage(request, this.universe)
  }

  /** Chooses a package and all it needs; after a failure of one with alternatives nothing of it remains. */
  #install(binary: BinaryPackage, because: Because): Failure | undefined {
    const { name } = binary
    const firm = this.#firm.has(name)
    const there = this.selection.get(name)
    if (there && (!firm || this.#settled.has(name))) return undefined
    if (firm) this.#settled.add(name)
    for (const { group } of needsOf(binary)) {
      if (this.selection.answersAny(group) || this.candidates.answersToAny(group).length > 0) continue
      if (!firm) this.#discard(name, `it needs ${formatAlternatives(group)}, which nothing answers`)
      return unmetFailure({ binary, because, group }, [], this)
    }
    const clash = there ? undefined : this.selection.clashOf(binary)
    if (clash) return clashFailure(clash, binary, because, this.selection)
    if (firm) this.#discardForbidden(binary, because)
    const mark = this.selection.mark()
    if (!there) this.selection.add(binary, because)
    for (const { field, group } of needsOf(binary)) {
      const tried = this.#meet(binary, field, group, firm)
      if (!tried) continue
      const failure = unmetFailure({ binary, because, group }, tried, this)
      if (firm) return failure
      this.selection.undo(mark)
      this.#discard(name, `it needs ${formatAlternatives(group)}, which cannot be installed`)
      return failure
    }
    return undefined
  }

  /** Sees to one group of alternatives; gives back what was tried in vain, or nothing when the group is met. */
  #meet(
    parent: BinaryPackage,
    field: 'Pre-Depends' | 'Depends',
    group: Parameters<Candidates['answersToAny']>[0],
    firm: boolean,
  ): Failure[] | undefined {
    const met = this.selection.answersAny(group)
    if (met && !firm) return undefined
    const answers = this.candidates.answersToAny(group)
    const [only] = answers
    const because: Because = { kind: 'needed', parent: parent.name, field, group }
    if (firm && only && answers.length === 1) this.#firm.add(only.name)
    if (met) {
      if (!only || answers.length > 1) return undefined
      const failure = this.#install(only, this.selection.get(only.name)?.because ?? because)
      return failure && [failure]
    }
    const tried: Failure[] = []
    for (const answer of answers) {
      if (this.candidates.of(answer.name) !== answer) continue
      const failure = this.#install(answer, because)
      if (!failure) return undefined
      tried.push(failure)
    }
    return tried
  }

  #discard(name: string, text: string): void {
    this.candidates.discard(name, { kind: 'needs', text })
  }

  #discardForbidden(owner: BinaryPackage, because: Because): void {
    for (const ban of negativesOf(owner))
      for (const victim of this.universe.bearersOf(ban.relation.name)) {
        if (this.candidates.of(victim.name) !== victim || this.selection.get(victim.name)) continue
        if (forbids(this.universe, ban, victim))
          this.candidates.discard(victim.name, {
            kind: 'forbidden',
            text: `${describePackage(owner)} has ${ban.field}: ${formatRelation(ban.relation)}; ${chainOf(owner.name, because, this.selection)}`,
          })
      }
  }
}

function* needsOf(binary: BinaryPackage) {
  for (const field of ['Pre-Depends', 'Depends'] as const)
    for (const group of relationsIn(binary, field)) yield { field, group }
}
