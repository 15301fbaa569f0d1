import { type FetchContext, type Fetched, isZosError, type Source, ZosError } from '@zos/core'
import type { AlpineOptions } from './options.js'
import type { PackagePin } from './pin.js'
import { fetchFailed } from './repository/fetch-index.js'
import { addressesOf, mirrorsOf } from './repository/repositories.js'

/** A pinned package as a source: it states its own digest, so the lock needs no entry of its own for it. */
export type ApkSource = Source &
  Pick<AlpineOptions, 'mirrors'> & {
    readonly kind: 'apk'
    readonly name: string
    readonly version: string
    readonly url: string
    readonly sha256: string
    readonly size: number
    readonly plugin: string
  }

/** Unique within the plugin, also where two trees have two versions of one package. */
export const sourceName = ({ name, version, arch }: PackagePin): string => `${name}-${version}.${arch}`

export const apkSource = (pin: PackagePin, { mirrors }: AlpineOptions, plugin: string): ApkSource => {
  const { name, version, url, sha256, size } = pin
  return { kind: 'apk', name, version, url, sha256, size, plugin, ...(mirrors && { mirrors }) }
}

/** Downloads a pinned package. One that no mirror has any more is `ALPINE_SUPERSEDED`. */
export const fetchApk = async (source: ApkSource, ctx: FetchContext): Promise<Fetched> => {
  const { url, sha256, size, mirrors } = source
  try {
    return { blob: await ctx.download(addressesOf(url, mirrorsOf(mirrors, ctx.env)), { sha256, size, maxSize: size }) }
  } catch (error) {
    if (isZosError(error) && (error.data.status === 404 || error.data.status === 410)) throw superseded(source, error)
    throw fetchFailed(error, `${source.name} ${source.version}`)
  }
}

const superseded = ({ name, version, plugin }: ApkSource, cause: unknown): ZosError =>
  new ZosError(
    'ALPINE_SUPERSEDED',
    `${name} ${version}, which the lock pins, is no longer on the mirrors: Alpine drops superseded versions`,
    {
      cause,
      subject: name,
      hint: [
        `zos update ${plugin}`,
        'to keep the version, mirror what the lock pins while it is there: zos lock --mirror',
      ],
    },
  )

/** File name of a package in a repository. */
export const apkFile = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}-${version}.apk`
