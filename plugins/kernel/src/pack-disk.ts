import { type OutputSpec, type PackContext, type Packed, ZosError } from '@zos/core'
import { diskAction } from './disk-action.js'

/** Makes `disk.img`: a raw disk with a GPT, whose one partition is an EFI system partition that starts `vmlinuz.efi`. */
export const packDisk = async (output: OutputSpec, ctx: PackContext): Promise<Packed> => {
  const { size } = output.options as { readonly size: number }
  const { blob: program, note } = await ctx.output('vmlinuz.efi')
  // FAT's own tables, and the partition table at both ends of the disk, take less than this.
  const room = (size - 4) * 1024 ** 2
  if (program.size > room)
    throw new ZosError(
      'KERNEL_DISK',
      `vmlinuz.efi has ${Math.ceil(program.size / 1024 ** 2)} MiB, a disk of ${size} MiB has no room for it`,
      {
        hint: `give a larger one: kernel({ diskSize: ${Math.ceil(program.size / 1024 ** 2) + 16} })`,
      },
    )
  const toolchain = await ctx.host({ tools: ['sfdisk', 'mkfs.fat', 'mmd', 'mcopy', 'truncate', 'dd'] })
  const { tree } = await ctx.run({ ...diskAction({ arch: ctx.arch, program, size, epoch: ctx.epoch }), toolchain })
  const disk = tree.get('/disk.img')
  if (disk?.kind !== 'file') throw new ZosError('KERNEL_DISK', 'no disk was made')
  return { blob: disk.blob, ...(note !== undefined && { note }), facts: { size } }
}
