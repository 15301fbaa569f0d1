import { type Blob, type OutputSpec, type PackContext, type Packed, type Ref, ZosError } from '@zos/core'
import { type UkiParts, writeUki } from '@zos/core/format'
import { efiAliases } from './efi-name.js'
import { checkInitramfs } from './initramfs.js'
import { loadKernel } from './kernel-artifact.js'
import type { UkiOptions } from './options.js'

/** systemd's EFI stub by architecture, as its package names it. */
const stubPath = {
  x86_64: '/usr/lib/systemd/boot/efi/linuxx64.efi.stub',
  aarch64: '/usr/lib/systemd/boot/efi/linuxaa64.efi.stub',
} as const

/** The image's own os-release; an image without one is named after its config. */
const osRelease = async (ctx: PackContext): Promise<string> =>
  ctx.root.resolve('/etc/os-release') === undefined
    ? `ID=${ctx.name}\nNAME=${ctx.name}\n`
    : ctx.root.text('/etc/os-release')

/** Makes `vmlinuz.efi`: the stub with os-release, command line, release, initramfs and kernel as sections. */
export const packUki = async (
  output: OutputSpec,
  ctx: PackContext,
  component: Ref,
  { stub, cmdline, nameAfter }: Pick<UkiOptions, 'stub' | 'cmdline' | 'nameAfter'>,
): Promise<Packed> => {
  const kernel = await loadKernel(ctx, component)
  const { blob: initrd } = await ctx.output('initramfs')
  await checkInitramfs(ctx, kernel, initrd)
  const parts: UkiParts = {
    stub: await ctx.blobs.read(await stubOf(ctx, stub)),
    kernel: await ctx.fileOf({ ...component, slot: 'image' }),
    initrd,
    cmdline,
    osRelease: await osRelease(ctx),
    uname: kernel.release,
  }
  return {
    blob: await ctx.blobs.put(writeUki(parts, ctx.blobs)),
    aliases: await efiAliases(ctx, output.name, kernel.release, nameAfter),
    note: kernel.release,
    facts: { release: kernel.release, cmdline },
  }
}

const stubOf = async (ctx: PackContext, stub: Ref): Promise<Blob> => {
  const path = stubPath[ctx.arch]
  const entry = (await ctx.tree(stub)).get(path)
  if (entry?.kind === 'file') return entry.blob
  throw new ZosError('KERNEL_STUB', `the tree of kernel({ stub }) has no file ${path}`, {
    hint: "give the package that ships systemd's EFI stub: base.tree(['systemd-boot-efi'])",
  })
}
