import { type FetchContext, type Fetched, isZosError, type Source, ZosError } from '@zos/core'
import { type ArchiveLabel, archiveFor } from './archive/archives.js'
import { hostSources, mirrorChoice } from './archive/host-apt.js'
import type { DebianOptions } from './options.js'
import type { PackagePin } from './pin.js'

/** A pinned package as a source: it states its own digest, so the lock needs no entry of its own for it. */
export type DebSource = Source &
  Pick<DebianOptions, 'mirror' | 'snapshot'> & {
    readonly kind: 'deb'
    readonly name: string
    readonly version: string
    readonly archive: ArchiveLabel
    readonly path: string
    readonly sha256: string
    readonly size: number
    /** Suite whose mirrors are asked. */
    readonly suite: string
    readonly plugin: string
  }

/** Unique within the plugin, also where two trees have two versions of one package. */
export const sourceName = (name: string, { version, architecture }: PackagePin): string =>
  `${name}_${version}_${architecture}`

export const debSource = (name: string, pin: PackagePin, options: DebianOptions, plugin: string): DebSource => {
  const { version, archive, path, sha256, size } = pin
  const suite = archive === 'debian-security' ? `${options.suite}-security` : options.suite
  const { mirror, snapshot } = options
  const from = { ...(mirror && { mirror }), ...(snapshot && { snapshot }) }
  return { kind: 'deb', name, version, archive, path, sha256, size, suite, plugin, ...from }
}

/** The addresses of a package: the mirrors of this machine, then the snapshot, which forgets nothing. */
export const debUrls = async (source: DebSource, ctx: FetchContext): Promise<string[]> => {
  const { mirrors } = archiveFor(source.suite, await hostSources(ctx), mirrorChoice(source, ctx.env))
  const snapshot = source.snapshot?.replaceAll('{archive}', source.archive).replace(/\/+$/, '')
  return [...mirrors, ...(snapshot ? [snapshot] : [])].map((root) => `${root}/${escapePath(source.path)}`)
}

/** Pool paths have only characters that stand for themselves in an address, but for these two. */
const escapePath = (path: string): string => path.replaceAll('%', '%25').replaceAll('+', '%2B')

/** Downloads a pinned package. One that no mirror has any more is `DEBIAN_SUPERSEDED`. */
export const fetchDeb = async (source: DebSource, ctx: FetchContext): Promise<Fetched> => {
  const { sha256, size } = source
  try {
    return { blob: await ctx.download(await debUrls(source, ctx), { sha256, size, maxSize: size }) }
  } catch (error) {
    if (isZosError(error) && (error.data.status === 404 || error.data.status === 410)) throw superseded(source, error)
    throw error
  }
}

const superseded = ({ name, version, plugin }: DebSource, cause: unknown): ZosError =>
  new ZosError(
    'DEBIAN_SUPERSEDED',
    `${name} ${version}, which the lock pins, is no longer on the mirrors: Debian's archive drops superseded versions`,
    {
      cause,
      subject: name,
      hint: [`zos update ${plugin}`, 'to keep the version, name a snapshot archive: debian({ snapshot })'],
    },
  )
