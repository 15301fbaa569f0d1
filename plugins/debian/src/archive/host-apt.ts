import type { FetchContext } from '@zos/core'
import type { DebianOptions } from '../options.js'
import { type AptSource, parseAptSources } from './apt-sources.js'
import type { ArchiveOptions } from './archives.js'

/** The entries of the host's own apt configuration; none where there is no apt. */
export const hostSources = async (ctx: FetchContext): Promise<AptSource[]> => {
  const paths = [
    ...(await ctx.hostGlob('/etc/apt/sources.list')),
    ...(await ctx.hostGlob('/etc/apt/sources.list.d/*.list')),
    ...(await ctx.hostGlob('/etc/apt/sources.list.d/*.sources')),
  ]
  const files = await Promise.all(paths.map(async (path) => ({ path, text: (await ctx.hostText(path)) ?? '' })))
  return parseAptSources(files)
}

/** Whether the host's apt checks how old a suite is; a host that works from a snapshot may have switched that off. */
export const hostChecksFreshness = async (ctx: FetchContext): Promise<boolean> => {
  if (!(await ctx.has('apt-config'))) return true
  const { stdout } = await ctx.run({ file: 'apt-config', args: ['dump', 'Acquire::Check-Valid-Until'] })
  return !/^Acquire::Check-Valid-Until "(false|no|0|off|without|disable)";/im.test(stdout)
}

/** What option and environment say about mirrors; the environment is of the machine, so it wins and is in no lock. */
export const mirrorChoice = ({ mirror }: Pick<DebianOptions, 'mirror'>, env: FetchContext['env']): ArchiveOptions => {
  const option = typeof mirror === 'string' ? { debian: mirror } : mirror
  const debian = env.DEBIAN_MIRROR || option?.debian
  const security = env.DEBIAN_SECURITY_MIRROR || option?.security
  if (!debian && !security) return {}
  const from = env.DEBIAN_MIRROR ? 'DEBIAN_MIRROR' : option ? 'debian({ mirror })' : 'DEBIAN_SECURITY_MIRROR'
  return { ...(debian && { mirror: debian }), ...(security && { securityMirror: security }), mirrorFrom: from }
}
