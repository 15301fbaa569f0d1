// Why there is no solution, as a person would say it: the chain from what was asked for to what cannot be.
import { closest, ExitCode, ZosError } from '@zos/core'
import { dependencyText } from '../format/dependency.js'
import type { WorldDependency } from './solution.js'
import type { Outcome } from './solve.js'
import { fulfils, type Search } from './state.js'
import type { Candidate, Name, Need, Universe } from './universe.js'

/** Findings in one error; further ones follow from these more often than not. */
const mostFindings = 5
const mostNamed = 6

interface Chain {
  /** What was asked for, then the packages on the way. */
  readonly steps: readonly string[]
  readonly candidate: Candidate | undefined
}

const several = (texts: readonly string[]): string =>
  texts.length > mostNamed
    ? `${texts.slice(0, mostNamed).join(', ')} and ${texts.length - mostNamed} more`
    : texts.join(', ')

/** Says of every dependency that is not fulfilled what is wrong with it. */
export const unsolvable = (universe: Universe, outcome: Outcome, world: readonly WorldDependency[]): ZosError => {
  const { search } = outcome
  const findings: string[] = []
  const hints = new Set<string>()
  const seen = new Set<Candidate>()
  const queue: { need: Need; chain: Chain; by: string }[] = outcome.world.map((need) => ({
    need,
    chain: { steps: [], candidate: undefined },
    by: world.find(({ dependency }) => dependency.name === need.name)?.by ?? 'the world',
  }))
  const chains = new Map<Candidate, Chain>()
  const say = (text: string, hint?: string): void => {
    if (!findings.includes(text)) findings.push(text)
    if (hint !== undefined) hints.add(hint)
  }
  for (let at = 0; at < queue.length; at++) {
    const { need, chain, by } = queue[at]!
    const who = chain.candidate ? `${chain.steps.join(' → ')} needs` : `${by} asks for`
    const { chosen } = search.name(need.target)
    const options = need.target.providers
    if (need.conflict) {
      if (!fulfils(need, chosen))
        say(
          `${who.replace(/ (needs|asks for)$/, '')} excludes ${dependencyText(need).slice(1)}, but ${chosen!.candidate.text} is wanted`,
        )
      continue
    }
    if (need.tag !== undefined && universe.tagNumber(need.tag) === undefined) {
      say(
        `${who} ${dependencyText(need)}; no repository has the tag @${need.tag}`,
        `alpine({ repositories: ['…', '@${need.tag} …'] })`,
      )
      continue
    }
    if (options.length === 0) {
      const near = closest(need.name, [...universe.offered()], 3)
      const places = universe.repositories.map(({ label }) => label).join(', ')
      say(
        `${who} ${dependencyText(need)}; nothing in ${places} provides it${near.length > 0 ? ` (near: ${near.join(', ')})` : ''}`,
        'another branch or repository may have it: alpine({ branch, repositories })',
      )
      continue
    }
    if (chosen && fulfils(need, chosen)) {
      const { candidate } = chosen
      if (!search.candidate(candidate).isTagAllowed) {
        const tag = universe.repositories[candidate.repository]?.tag
        say(
          `${who} ${dependencyText(need)}; only the tagged repository @${tag} has it`,
          `name the tag: ${need.name}@${tag}`,
        )
      }
      if (seen.has(candidate)) continue
      seen.add(candidate)
      const next = { steps: [...(chain.candidate ? chain.steps : []), candidate.text], candidate }
      chains.set(candidate, next)
      for (const below of candidate.depends) queue.push({ need: below, chain: next, by })
      continue
    }
    say(`${who} ${dependencyText(need)}; ${whyNot(search, need, chains)}`, hintFor(need))
  }
  for (const text of sameName(outcome)) say(text)
  if (findings.length === 0) say('the packages that were asked for cannot be installed together')
  const subject = world.length === 1 ? world[0]!.dependency.name : undefined
  return new ZosError('ALPINE_UNSOLVABLE', findings.slice(0, mostFindings).join('\n'), {
    ...(subject && { subject }),
    exit: ExitCode.build,
    hint: [...hints].slice(0, 2),
    data: { findings },
  })
}

/** What stands in the way of a dependency for which there are packages. */
const whyNot = (search: Search, need: Need, chains: ReadonlyMap<Candidate, Chain>): string => {
  const { chosen } = search.name(need.target)
  const right = need.target.providers.filter((provider) => fulfils(need, provider))
  if (right.length === 0)
    return `offered ${several(need.target.providers.map(({ candidate, version }) => (candidate.name === need.target ? candidate.text : `${candidate.text} (${need.name}${version === undefined ? ', no version' : `=${version}`})`)))}`
  if (chosen) {
    const chain = chains.get(chosen.candidate)?.steps ?? []
    const because = chain.length > 1 ? ` (${chain.join(' → ')})` : ''
    return `${chosen.candidate.text}${because} is chosen for ${need.name}, which is another`
  }
  const virtual = right.every(({ version }) => version === undefined)
  const names = several([...new Set(right.map(({ candidate }) => candidate.name.text))])
  if (virtual && right.some(({ candidate }) => search.candidate(candidate).isSelectable))
    return right.length > 1
      ? `several packages provide it: ${names}; name one of them`
      : `only ${names} provides it, and what is provided without a version is not chosen unasked`
  return `none of ${names} can be installed beside the others${blockers(
    search,
    right.map(({ candidate }) => candidate),
  )}`
}

const hintFor = (need: Need): string | undefined => {
  const virtual = need.target.providers.filter(
    ({ version, candidate }) => version === undefined && candidate.name !== need.target,
  )
  return virtual.length > 0 && virtual.length === need.target.providers.length
    ? `add one of ${several([...new Set(virtual.map(({ candidate }) => candidate.name.text))])} to alpine({ packages })`
    : undefined
}

/** What the packages in question depend on that cannot be had. */
const blockers = (search: Search, candidates: readonly Candidate[]): string => {
  const texts = candidates.flatMap((candidate) =>
    candidate.depends
      .filter((need) => !need.target.providers.some((provider) => fulfils(need, provider)) && !need.conflict)
      .map((need) => `${candidate.text} needs ${dependencyText(need)}`),
  )
  const taken = candidates.flatMap((candidate) =>
    [candidate.name, ...candidate.provides.map(({ target }) => target)].flatMap((name: Name) => {
      const holder = search.name(name).chosen?.candidate
      return holder && holder !== candidate ? [`${holder.text} has ${name.text}`] : []
    }),
  )
  const all = [...new Set([...texts, ...taken])]
  return all.length > 0 ? `: ${several(all)}` : ''
}

/** Two chosen packages that provide one name in a version. */
const sameName = ({ search, packages }: Outcome): string[] => {
  const found: string[] = []
  for (const candidate of packages)
    for (const { target, version } of candidate.provides) {
      const holder = search.name(target).chosen
      if (!holder || holder.candidate === candidate) continue
      if (version === undefined && holder.version === undefined) continue
      found.push(`${candidate.text} and ${holder.candidate.text} both have ${target.text}: only one can be installed`)
    }
  return found
}
