// Debian's packages in the bill of materials.
import type { Package, TapContext } from '@zos/core'
import { declaredLicense } from './package/copyright.js'
import { controlField, type UnpackedPackage } from './package/layers.js'

/** Bytes of a copyright file that are looked at; the longest known has some 400 kB. */
const limit = 2 << 20

const licenseOf = async (
  { name, tree }: UnpackedPackage,
  ctx: TapContext,
): Promise<ReturnType<typeof declaredLicense>> => {
  const path = tree.resolve(`/usr/share/doc/${name}/copyright`)
  const entry = path === undefined ? undefined : tree.get(path)
  if (entry?.kind !== 'file' || entry.blob.size > limit) return {}
  return declaredLicense(new TextDecoder().decode(await ctx.blobs.read(entry.blob)))
}

/** A version may have `+`, `~` and `:`; a package URL has them percent-encoded. */
export const debPurl = (name: string, version: string, arch: string): string =>
  `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}`

export const billPackage = async (one: UnpackedPackage, sha256: string, ctx: TapContext): Promise<Package> => {
  const { name } = one
  const version = controlField(one, 'Version') ?? ''
  const homepage = controlField(one, 'Homepage')
  return {
    name,
    version,
    purl: debPurl(name, version, controlField(one, 'Architecture') ?? 'all'),
    supplier: 'Debian',
    sha256,
    ...(homepage !== undefined && /^https?:\/\/\S+$/.test(homepage) && { homepage }),
    ...(await licenseOf(one, ctx)),
  }
}
