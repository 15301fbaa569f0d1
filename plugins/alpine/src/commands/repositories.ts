import { type Arch, type CommandContext, ExitCode, type FetchContext, ZosError } from '@zos/core'
import type { PublicKeys } from '../format/signature.js'
import type { AlpineOptions } from '../options.js'
import { fetchIndexes } from '../repository/fetch-index.js'
import { alpineKeys } from '../repository/keys.js'
import { mirrorsOf, parseRepositories } from '../repository/repositories.js'
import { Universe } from '../solve/universe.js'

const archOf = (value: unknown, other: Arch): Arch => {
  if (value === undefined) return other
  if (value === 'x86_64' || value === 'aarch64') return value
  throw new ZosError('CLI_ARCH', `--arch ${value}: expected x86_64 or aarch64`, { exit: ExitCode.usage })
}

/** Alpine's keys, and those of a folder. */
export const keysFor = async (ctx: CommandContext, arch: Arch): Promise<PublicKeys> => {
  const keys = new Map(alpineKeys(arch))
  const folder = ctx.options.keys as string | undefined
  if (folder === undefined) return keys
  const names = (await ctx.files.list(folder)).filter((name) => name.endsWith('.pub'))
  if (names.length === 0)
    throw new ZosError('APK_KEY', `${folder}: no public keys (*.rsa.pub) in this folder`, { exit: ExitCode.usage })
  for (const name of names) keys.set(name, (await ctx.files.text(`${folder}/${name}`))!)
  return keys
}

/** Keys of every architecture that is known: for files that do not say for which they are. */
export const allKeys = async (ctx: CommandContext): Promise<PublicKeys> =>
  new Map([...(await keysFor(ctx, 'x86_64')), ...(await keysFor(ctx, 'aarch64'))])

/** What the repositories of the command line offer, or else those of the config. */
export const offered = async (ctx: CommandContext): Promise<Universe> => {
  const given = ctx.options.repository as readonly string[] | undefined
  if (given) {
    const arch = archOf(ctx.options.arch, 'x86_64')
    const keys = await keysFor(ctx, arch)
    const repositories = parseRepositories('edge', given)
    const mirrors = mirrorsOf(undefined, { ALPINE_MIRROR: ctx.env('ALPINE_MIRROR') })
    return ctx.fetching(async (fetch) => new Universe(await fetchIndexes(repositories, { arch, mirrors, keys }, fetch)))
  }
  const options = (await ctx.lock())?.plugins('alpine')[0]?.options as AlpineOptions | undefined
  if (!options)
    throw new ZosError('CLI_USAGE', 'which repository? There is no lock of a config with alpine() here', {
      hint: 'zos apk solve --repository https://dl-cdn.alpinelinux.org/alpine/v3.22/main NAME…',
      exit: ExitCode.usage,
    })
  const arch = archOf(ctx.options.arch, ctx.settings.arch)
  return ctx.fetching(async (fetch: FetchContext) => {
    const { trustedKeys } = await import('../pin.js')
    const keys = await trustedKeys(options, arch, fetch)
    const repositories = parseRepositories(options.branch, options.repositories)
    return new Universe(
      await fetchIndexes(repositories, { arch, mirrors: mirrorsOf(options.mirrors, fetch.env), keys }, fetch),
    )
  })
}
