import { closest, ZosError } from '@zos/core'
import { dependencyText } from '../format/dependency.js'
import { compareVersions } from '../format/version.js'
import type { WorldEntry } from '../world.js'
import type { Chosen } from './solution.js'
import { fulfils } from './state.js'
import type { Candidate, Need, Universe } from './universe.js'

/**
 * The packages of a tree that is not installed: those named, and what they need of the same source package. The rest of
 * what they depend on belongs to a running system, as mkinitfs does to a kernel.
 */
export const packagesOfSameOrigin = (universe: Universe, wanted: readonly WorldEntry[]): Chosen[] => {
  const found = new Map<Candidate, Set<string>>()
  const take = (candidate: Candidate, by: string): void => {
    const reasons = found.get(candidate)
    if (reasons) {
      reasons.add(by)
      return
    }
    found.set(candidate, new Set([by]))
    for (const need of candidate.depends) {
      const other = bestOf(need, universe)
      if (other && other.entry.origin === candidate.entry.origin && other !== candidate)
        take(other, candidate.name.text)
    }
  }
  for (const { dependency, by } of wanted) {
    const best = bestOf({ ...dependency, target: universe.name(dependency.name) }, universe)
    if (!best) throw missing(universe, dependencyText(dependency), dependency.name, by)
    take(best, 'world')
  }
  return [...found]
    .sort(([a], [b]) => (a.name.text < b.name.text ? -1 : 1))
    .map(([candidate, by]) => ({ candidate, by: [...by].sort() }))
}

/** The newest package that bears or provides what is needed, from a repository that may be used for it. */
const bestOf = (need: Need, universe: Universe): Candidate | undefined => {
  if (need.conflict) return undefined
  const allowed = 1 | (need.tag === undefined ? 0 : 1 << (universe.tagNumber(need.tag) ?? 0))
  let best: Candidate | undefined
  for (const provider of need.target.providers) {
    const { candidate } = provider
    if (!fulfils(need, provider) || (candidate.tags & allowed) === 0) continue
    const isOwn = candidate.name === need.target
    if (!best || (isOwn && best.name !== need.target)) best = candidate
    else if (isOwn === (best.name === need.target) && compareVersions(candidate.version, best.version) > 0)
      best = candidate
  }
  return best
}

const missing = (universe: Universe, text: string, name: string, by: string): ZosError => {
  const near = closest(name, [...universe.offered()], 3)
  return new ZosError(
    'ALPINE_UNSOLVABLE',
    `${by} asks for ${text}; nothing in ${universe.repositories.map(({ label }) => label).join(', ')} provides it${near.length > 0 ? ` (near: ${near.join(', ')})` : ''}`,
    { subject: name, hint: 'another branch or repository may have it: alpine({ branch, repositories })' },
  )
}
