import type { FetchContext } from '@zos/core'
import type { ArchiveLabel } from './archive/archives.js'
import type { BinaryPackage } from './archive/binary-package.js'
import { fetchPackages } from './archive/fetch-suite.js'
import { type DebianOptions, suitesOf } from './options.js'
import { formatRequest, mergeRequests, type PackageRequest, parseRequest } from './resolve/request.js'
import { resolvePackages } from './resolve/resolve-packages.js'
import { packagesOfSameSource } from './resolve/same-source.js'
import { Universe } from './resolve/universe.js'

/** One package in the lock: enough to get it from any mirror. */
export type PackagePin = {
  readonly version: string
  readonly architecture: string
  readonly archive: ArchiveLabel
  /** Below the archive's root. */
  readonly path: string
  readonly sha256: string
  readonly size: number
}

export type PackagePins = { readonly [name: string]: PackagePin }

/** The answer in the lock. */
export type DebianPin = { readonly root: PackagePins; readonly trees: { readonly [tree: string]: PackagePins } }

/** The question in the lock. Mirrors are not in it: another machine has others. */
export type DebianRequest = {
  readonly suites: readonly string[]
  readonly components: readonly string[]
  readonly architecture: string
  readonly packages: readonly string[]
  readonly essential: boolean
  readonly trees: { readonly [tree: string]: readonly string[] }
}

const architectures = { x86_64: 'amd64', aarch64: 'arm64' } as const

const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort()

export const debianRequest = (
  options: DebianOptions,
  arch: keyof typeof architectures,
  requests: readonly PackageRequest[],
  trees: Readonly<Record<string, readonly string[]>>,
): DebianRequest => {
  const all = [...requests, ...Object.values(trees).flatMap((names) => names.map((name) => parseRequest(name, '')))]
  const named = sorted(all.flatMap(({ suite }) => suite ?? []))
  const suites = suitesOf(options)
  return {
    suites: [...suites, ...named.filter((name) => !suites.includes(name))],
    components: options.components ?? ['main'],
    architecture: architectures[arch],
    packages: sorted(mergeRequests(requests).map(formatRequest)),
    essential: options.essential ?? false,
    trees,
  }
}

/** Says in dpkg's status that `/bin` and its like are links, which they are here; else a package with Perl would do it. */
const mergedUsr = 'usr-is-merged'

/**
 * Resolves all packages anew; versions of `previous` stay where they are still offered. `requests` are those of the
 * question, with who asks.
 */
export const answerRequest = async (
  request: DebianRequest,
  requests: readonly PackageRequest[],
  options: DebianOptions,
  ctx: FetchContext,
  previous: DebianPin | undefined,
): Promise<DebianPin> => {
  const packages = await fetchPackages(request.suites, request.architecture, options, ctx)
  const universe = new Universe(packages, request.architecture)
  const implied = universe.candidateOf(mergedUsr)
    ? [parseRequest(mergedUsr, 'debian, whose trees have a merged /usr')]
    : []
  const root = resolvePackages(universe, [...requests, ...implied], {
    essential: request.essential,
    prefer: versionsOf(previous?.root),
  })
  const trees = Object.entries(request.trees).map(([tree, names]) => {
    const wanted = names.map((name) => parseRequest(name, `a reference to ${tree}`))
    return [tree, pinsOf(packagesOfSameSource(universe, wanted, versionsOf(previous?.trees[tree])))] as const
  })
  return { root: pinsOf(root.map(({ binary }) => binary)), trees: Object.fromEntries(trees) }
}

const versionsOf = (pins: PackagePins | undefined): Map<string, string> =>
  new Map(Object.entries(pins ?? {}).map(([name, { version }]) => [name, version]))

const pinsOf = (packages: readonly BinaryPackage[]): PackagePins =>
  Object.fromEntries(
    packages.map(({ name, version, architecture, suite, path, sha256, size }) => [
      name,
      { version, architecture, archive: suite.archive, path, sha256, size },
    ]),
  )
