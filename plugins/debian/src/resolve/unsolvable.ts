import { ZosError } from '@zos/core'
import { type BinaryPackage, describePackage } from '../archive/binary-package.js'
import { type Alternatives, formatAlternatives, formatRelation, type Relation } from '../control/dependency.js'
import type { Candidates } from './candidates.js'
import { nearNames } from './near-names.js'
import { formatRequest, type PackageRequest } from './request.js'
import type { Because, Clash, Selection } from './selection.js'
import type { Universe } from './universe.js'

/** Why a package cannot be installed; texts are made when it happens, as choices may be taken back later. */
export type Failure =
  | {
      readonly kind: 'clash'
      readonly binary: BinaryPackage
      readonly clash: Clash
      /** Who wants each of the two. */
      readonly chains: readonly string[]
    }
  | {
      readonly kind: 'unmet'
      readonly binary: BinaryPackage
      readonly group: Alternatives
      /** Who wants the package. */
      readonly chain: string
      /** What there is under the names of the group, and why it does not do. */
      readonly reasons: readonly string[]
      /** Something that would do is there, but a chosen package forbids it. */
      readonly forbidden: boolean
      /** What went wrong with each candidate that was tried. */
      readonly tried: readonly Failure[]
    }

const deepest = 12
const longestChain = 100

/** `b ← a (needs b | c) ← wanted by debian({ packages })` */
export const chainOf = (name: string, because: Because, selection: Selection): string => {
  const steps = [name]
  let reason: Because | undefined = because
  for (let length = 0; reason?.kind === 'needed' && length < longestChain; length++) {
    steps.push(`${reason.parent} (needs ${formatAlternatives(reason.group)})`)
    reason = selection.get(reason.parent)?.because
  }
  if (reason?.kind === 'requested') steps.push(`wanted by ${reason.by}`)
  return steps.join(' ← ')
}

export const clashFailure = (clash: Clash, binary: BinaryPackage, because: Because, selection: Selection): Failure => ({
  kind: 'clash',
  binary,
  clash,
  chains: [clash.owner, clash.victim].map(({ name }) =>
    chainOf(name, (name === binary.name ? undefined : selection.get(name)?.because) ?? because, selection),
  ),
})

export const unmetFailure = (
  unmet: { readonly binary: BinaryPackage; readonly because: Because; readonly group: Alternatives },
  tried: readonly Failure[],
  context: { readonly universe: Universe; readonly candidates: Candidates; readonly selection: Selection },
): Failure => ({
  kind: 'unmet',
  binary: unmet.binary,
  group: unmet.group,
  chain: chainOf(unmet.binary.name, unmet.because, context.selection),
  reasons: tried.length > 0 ? [] : unmet.group.map((relation) => whyNot(relation, context)),
  forbidden: unmet.group.some(({ name }) => context.candidates.whyDiscarded(name)?.kind === 'forbidden'),
  tried,
})

const whyNot = (
  relation: Relation,
  { universe, candidates }: { readonly universe: Universe; readonly candidates: Candidates },
): string => {
  const text = formatRelation(relation)
  const discarded = candidates.whyDiscarded(relation.name)
  if (discarded) return `${text}: ${discarded.text}`
  const candidate = candidates.of(relation.name)
  if (candidate) return `${text}: the candidate is ${describePackage(candidate)}`
  const providers = [...new Set(universe.providersOf(relation.name).map(({ binary }) => binary.name))]
  if (providers.length > 0)
    return `${text}: provided by ${providers.slice(0, 5).join(', ')}, none of which can be installed`
  return `${text}: no enabled suite has it`
}

const describeClash = ({ owner, field, relation, victim }: Clash): string => {
  const as = victim.name === relation.name ? '' : `, which ${victim.name} provides`
  return `${describePackage(owner)} and ${describePackage(victim)} cannot be together: ${owner.name} has ${field}: ${formatRelation(relation)}${as}`
}

const explain = (failure: Failure, depth = 0): string[] => {
  if (failure.kind === 'clash') return [describeClash(failure.clash), ...failure.chains.map((chain) => `  ${chain}`)]
  const lines = [`${describePackage(failure.binary)} needs ${formatAlternatives(failure.group)}`]
  for (const reason of failure.reasons) lines.push(`  ${reason}`)
  if (depth < deepest)
    for (const cause of failure.tried) lines.push(...explain(cause, depth + 1).map((line) => `  ${line}`))
  if (depth === 0) lines.push(`  ${failure.chain}`)
  return lines
}

/** The first clash inside a failure. */
export const clashIn = (failure: Failure): (Failure & { readonly kind: 'clash' }) | undefined => {
  if (failure.kind === 'clash') return failure
  for (const cause of failure.tried) {
    const found = clashIn(cause)
    if (found) return found
  }
  return undefined
}

const isConflict = (failure: Failure): boolean =>
  failure.kind === 'clash' || failure.forbidden || failure.tried.some(isConflict)

export const unsolvable = (failure: Failure): ZosError => {
  const conflict = isConflict(failure)
  return new ZosError(conflict ? 'DEBIAN_CONFLICT' : 'DEBIAN_UNSOLVABLE', explain(failure).join('\n'), {
    subject: failure.binary.name,
    hint: conflict
      ? 'ask for one of the two only, or name another package that does the same'
      : 'add the suite that has it to debian({ suites }), or ask for name/suite',
  })
}

/** Nothing of the requested name, suite or version can be had. */
export const unknownPackage = (request: PackageRequest, universe: Universe): ZosError => {
  const { name, by } = request
  const there = universe.versionsOf(name)
  const asked = `${formatRequest(request)} (wanted by ${by})`
  if (there.length > 0)
    return new ZosError('DEBIAN_UNKNOWN_PACKAGE', `${asked}: there are only ${there.map(describePackage).join(', ')}`, {
      subject: name,
    })
  const providers = [...new Set(universe.providersOf(name).map(({ binary }) => binary.name))].sort()
  if (providers.length > 0)
    return new ZosError('DEBIAN_VIRTUAL_PACKAGE', `${asked} is provided by ${providers.slice(0, 12).join(', ')}`, {
      subject: name,
      hint: 'ask for one of these',
    })
  const near = nearNames(name, universe.names())
  const suites = [...new Set(universe.packages().map(({ suite }) => suite.name))].sort()
  return new ZosError(
    'DEBIAN_UNKNOWN_PACKAGE',
    `${asked}: no package of this name in ${suites.join(', ') || 'any suite'}`,
    {
      subject: name,
      hint: [
        ...(near.length > 0 ? [`did you mean ${near.join(', ')}?`] : []),
        'or is it in a suite or component that is not enabled: debian({ suites, components })?',
      ],
    },
  )
}
