import { type Artifact, FileTree, type Package, type Ref, type TapContext } from '@zos/core'
import { withIndexes } from './depmod.js'
import { checkConfigWishes, parseKernelConfig } from './kernel-config.js'
import { checkImageRelease, findKernel } from './kernel-tree.js'
import { readModuleIndex } from './module-files.js'
import { kernelConfig } from './wishes.js'

/** Makes the artifact of a prebuilt kernel from a tree of packages; wishes that its config does not fulfil are an error. */
export const buildPrebuilt = async (ctx: TapContext, source: Ref): Promise<Artifact> => {
  const kernel = findKernel(await ctx.tree(source))
  const { release, image, config, systemMap } = kernel
  const text = new TextDecoder().decode(await ctx.blobs.read(config))
  checkConfigWishes(parseKernelConfig(text, `config-${release}`), ctx.settled(kernelConfig), release)
  if (ctx.arch === 'x86_64') checkImageRelease(await ctx.blobs.read(image), release)
  const index = await readModuleIndex(ctx, release, kernel.modules)
  const folder = await withIndexes(ctx, kernel)
  ctx.package(kernelPackage(versionOf(release)))
  return {
    trees: { modules: FileTree.empty.mount(`/lib/modules/${release}`, folder) },
    files: { image, config, 'system-map': systemMap, index },
    facts: { release, version: versionOf(release) },
  }
}

/** Linux in the bill of materials, beside the packages that it came in. Source of the licence: COPYING of its sources. */
export const kernelPackage = (version: string, more: Pick<Package, 'sha256' | 'download'> = {}): Package => ({
  ...more,
  name: 'linux',
  version,
  purl: `pkg:generic/linux@${version}`,
  license: 'GPL-2.0-only WITH Linux-syscall-note',
  homepage: 'https://www.kernel.org',
})

/** The upstream version: `6.12.117+deb12-cloud-amd64` → `6.12.117`. */
export const versionOf = (release: string): string => /^\d+(?:\.\d+)*/.exec(release)?.[0] ?? release
