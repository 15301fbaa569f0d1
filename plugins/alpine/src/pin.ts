import { type Arch, type FetchContext, sha256, ZosError } from '@zos/core'
import { apkFile } from './apk-source.js'
import { dependencyText } from './format/dependency.js'
import { controlChecksum, readApk } from './format/read-apk.js'
import type { PublicKeys } from './format/signature.js'
import { scriptNames } from './format/write-apk.js'
import type { AlpineOptions } from './options.js'
import { fetchFailed, fetchIndexes } from './repository/fetch-index.js'
import { alpineKeys, ownKeys } from './repository/keys.js'
import {
  addressesOf,
  mirrorsOf,
  packagePlace,
  parseRepositories,
  type Repository,
  repositoryLine,
} from './repository/repositories.js'
import { packagesOfSameOrigin } from './solve/same-origin.js'
import { type Chosen, solve } from './solve/solution.js'
import { Universe } from './solve/universe.js'
import { mergeWorld, type WorldEntry, worldEntry } from './world.js'

/** One package in the lock: enough to get it from any mirror, and to say why it is there. */
export type PackagePin = {
  readonly name: string
  readonly version: string
  readonly arch: string
  /** Below the mirrors, or a whole address. */
  readonly url: string
  readonly size: number
  /** Of the file. */
  readonly sha256: string
  /** Of the control segment, as the index has it. */
  readonly control: string
  /** SHA-256 of the data segment. */
  readonly data: string
  /** Packages that brought it in; `world` where it was asked for. */
  readonly by: readonly string[]
  /** Tag of the repository where the world names one. */
  readonly tag?: string
  /** Names of its scripts. */
  readonly scripts?: readonly string[]
}

/** The answer in the lock. Packages of the root are in install order. */
export type AlpinePin = {
  readonly root: readonly PackagePin[]
  readonly trees: { readonly [tree: string]: readonly PackagePin[] }
}

/** The question in the lock. Mirrors are not in it: another machine has others. */
export type AlpineRequest = {
  readonly architecture: Arch
  readonly repositories: readonly string[]
  readonly packages: readonly string[]
  readonly trees: { readonly [tree: string]: readonly string[] }
}

export const alpineRequest = (
  { branch, repositories }: AlpineOptions,
  architecture: Arch,
  world: readonly WorldEntry[],
  trees: Readonly<Record<string, readonly string[]>>,
): AlpineRequest => ({
  architecture,
  repositories: parseRepositories(branch, repositories).map((one) => repositoryLine(one, '').replace(/(^| )\//, '$1')),
  packages: mergeWorld(world).map(({ dependency }) => dependencyText(dependency)),
  trees,
})

/** Packages being fetched and taken apart at once. */
const width = 8

/** Resolves all packages anew. `world` is that of the question, with who asks. */
export const answerRequest = async (
  request: AlpineRequest,
  world: readonly WorldEntry[],
  options: AlpineOptions,
  ctx: FetchContext,
  previous: AlpinePin | undefined,
): Promise<AlpinePin> => {
  const { architecture: arch } = request
  const repositories = parseRepositories(options.branch, options.repositories)
  const mirrors = mirrorsOf(options.mirrors, ctx.env)
  const keys = await trustedKeys(options, arch, ctx)
  const universe = new Universe(await fetchIndexes(repositories, { arch, mirrors, keys }, ctx))
  const root = solve(universe, mergeWorld(world))
  const trees = Object.entries(request.trees).map(([tree, names]): [string, Chosen[]] => [
    tree,
    packagesOfSameOrigin(
      universe,
      names.map((name) => worldEntry(name, `a reference to ${tree}`)),
    ),
  ])
  const known = new Map(
    [...(previous?.root ?? []), ...Object.values(previous?.trees ?? {}).flat()].map((pin) => [pin.control, pin]),
  )
  const tags = new Map(world.map(({ dependency: { name, tag } }) => [name, tag]))
  const all = [...root, ...trees.flatMap(([, chosen]) => chosen)]
  const done = new Map<string, PackagePin>()
  const queue = [...all]
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const { checksum } = one.candidate.entry
      if (done.has(checksum)) continue
      const pin = pinOf(one, repositories[one.candidate.repository]!, arch)
      const old = known.get(checksum)
      done.set(
        checksum,
        old?.url === pin.url ? { ...old, ...pin } : { ...pin, ...(await inspect(one, pin, mirrors, ctx)) },
      )
      ctx.progress(one.candidate.text, done.size, all.length)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  const pins = (chosen: readonly Chosen[], isRoot: boolean): PackagePin[] =>
    chosen.map(({ candidate, by }) => {
      const { by: _, ...pin } = done.get(candidate.entry.checksum)!
      const tag = isRoot ? tags.get(candidate.entry.name) : undefined
      return { ...pin, by, ...(tag !== undefined && { tag }) }
    })
  return {
    root: pins(root, true),
    trees: Object.fromEntries(trees.map(([tree, chosen]) => [tree, pins(chosen, false)])),
  }
}

/** Alpine's own keys and those of the config. */
export const trustedKeys = async (
  { keys }: Pick<AlpineOptions, 'keys'>,
  arch: Arch,
  { project }: Pick<FetchContext, 'project'>,
): Promise<PublicKeys> => new Map([...alpineKeys(arch), ...(keys === undefined ? [] : await ownKeys(keys, project))])

const pinOf = ({ candidate, by }: Chosen, repository: Repository, arch: Arch) => {
  const { name, version, arch: own, size, checksum } = candidate.entry
  return {
    name,
    version,
    arch: own || arch,
    url: packagePlace(repository, arch, apkFile({ name, version })),
    size,
    control: checksum,
    by,
  }
}

/** What only the package itself says. The chain is checked: the index names its control segment, that names its data. */
const inspect = async (
  { candidate }: Chosen,
  { url, size }: { readonly url: string; readonly size: number },
  mirrors: readonly string[],
  ctx: FetchContext,
): Promise<Pick<PackagePin, 'sha256' | 'data' | 'scripts'>> => {
  const blob = await download(addressesOf(url, mirrors), size, candidate.text, ctx)
  const bytes = await ctx.blobs.read(blob)
  const { control, info, scripts } = await readApk(bytes, candidate.text)
  const { name, version, checksum } = candidate.entry
  const found = controlChecksum(control, checksum)
  if (found !== checksum || info.name !== name || info.version !== version)
    throw new ZosError(
      'APK_CHECKSUM',
      `${url} is ${info.name} ${info.version} (${found}); the index has ${name} ${version} (${checksum})`,
      { subject: name, hint: 'the mirror is being updated, or was tampered with: try again, or take another mirror' },
    )
  const own = scriptNames.filter((script) => scripts[script] !== undefined)
  return { sha256: sha256(bytes), data: info.dataHash!, ...(own.length > 0 && { scripts: own }) }
}

const download = async (urls: readonly string[], size: number, subject: string, ctx: FetchContext) => {
  try {
    return await ctx.download(urls, { size, maxSize: size })
  } catch (error) {
    throw fetchFailed(error, subject)
  }
}
