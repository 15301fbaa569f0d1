import { type OutputSpec, type PackContext, type Packed, type Ref, ZosError } from '@zos/core'
import { linkAction } from './build-actions.js'
import { compilerFor } from './compiler.js'
import { efiAliases } from './efi-name.js'
import { checkEmbedded, checkSections, kernelOf } from './embedded.js'
import { beginningOf, checkInitramfs } from './initramfs.js'
import { loadKernel } from './kernel-artifact.js'
import type { InitramfsCompression } from './kernel-config.js'
import type { BuiltinOptions } from './options.js'
import { kernelTargets } from './target.js'

/** Endings after `.cpio`: any will do for the kernel's build, which takes such a file as it is. */
const endings: Readonly<Record<InitramfsCompression, string>> = { none: 'bare', gzip: 'gz', xz: 'xz', zstd: 'zst' }

/** Makes `vmlinuz.efi`: the kernel linked once more with the initramfs in it, read back and compared. */
export const packBuiltin = async (
  output: OutputSpec,
  ctx: PackContext,
  component: Ref,
  { cmdline, nameAfter }: Pick<BuiltinOptions, 'cmdline' | 'nameAfter'>,
): Promise<Packed> => {
  const kernel = await loadKernel(ctx, component)
  const { blob: archive } = await ctx.output('initramfs')
  const compression = await checkInitramfs(ctx, kernel, archive)
  const target = kernelTargets[ctx.arch]
  const objects = await ctx.fileOf({ ...component, slot: 'objects' })
  const action = linkAction(target, { objects, archiveName: `initramfs.cpio.${endings[compression]}`, archive })
  const { tree } = await ctx.run({ ...action, toolchain: await compilerFor(ctx, target, kernel.config) })
  const image = tree.get('/image')
  if (image?.kind !== 'file') throw new ZosError('KERNEL_LINK', 'the link left no image')
  const bytes = await ctx.blobs.read(image.blob)
  checkSections(bytes, ctx.arch)
  await checkEmbedded(kernelOf(bytes, ctx.arch), archive, await beginningOf(ctx, archive))
  return {
    blob: image.blob,
    aliases: await efiAliases(ctx, output.name, kernel.release, nameAfter),
    note: kernel.release,
    facts: { release: kernel.release, initramfs: 'builtin', ...(cmdline !== undefined && { cmdline }) },
  }
}
