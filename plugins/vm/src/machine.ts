import { type CommandContext, ExitCode, type Manifest, type ManifestOutput, ZosError } from '@zos/core'
import { type Boot, diskCommand, firmwarePlaces, type GuestArch, plainCmdline } from './qemu-command.js'
import { succeed } from './tools.js'

/** Room of a new disk, as `qemu-img` takes it; the file grows only as it is filled. */
const diskSize = '10G'

/** The files of the last build that a machine can start from, as absolute paths. */
export interface Image {
  readonly kernel: string | undefined
  readonly initramfs: string | undefined
  readonly efi: string | undefined
  readonly cmdline: string | undefined
}

/** Finds what can be started among the outputs of a build. */
export const imageOf = ({ outputs }: Manifest, folder: string): Image => {
  const path = (output: ManifestOutput | undefined) => output && `${folder}/${output.name}`
  const efi = outputs.find(({ name }) => name === 'vmlinuz.efi')
  const cmdline = efi?.facts?.cmdline
  return {
    kernel: path(outputs.find(({ format }) => format === 'kernel')),
    initramfs: path(outputs.find(({ format }) => format === 'initramfs')),
    efi: path(efi),
    cmdline: typeof cmdline === 'string' ? cmdline : undefined,
  }
}

const notBuilt = (what: string): ZosError =>
  new ZosError('VM_NOT_BUILT', `the last build left no ${what}`, {
    hint: 'run zos build with a config that makes it',
  })

/** How the machine starts: by kernel and initramfs, or by `vmlinuz.efi` under firmware with fresh variables. */
export const bootOf = async (ctx: CommandContext, image: Image, arch: GuestArch, efi: boolean): Promise<Boot> => {
  if (!efi) {
    if (!image.kernel || !image.initramfs) throw notBuilt(image.kernel ? 'initramfs' : 'kernel')
    return {
      by: 'kernel',
      kernel: image.kernel,
      initramfs: image.initramfs,
      cmdline: image.cmdline ?? plainCmdline(arch),
    }
  }
  if (!image.efi) throw notBuilt('vmlinuz.efi')
  for (const { code, variables } of firmwarePlaces[arch]) {
    if (!(await ctx.files.exists(code)) || !(await ctx.files.exists(variables))) continue
    const copy = `${vmFolder(ctx)}/efi-variables.fd`
    await ctx.files.copy(variables, copy)
    return { by: 'efi', image: image.efi, code, variables: copy }
  }
  const looked = firmwarePlaces[arch].map(({ code }) => code).join(', ')
  throw new ZosError('VM_FIRMWARE', `there is no UEFI firmware for ${arch}; looked for ${looked}`, {
    hint: arch === 'x86_64' ? 'apt-get install ovmf' : 'apt-get install qemu-efi-aarch64',
    exit: ExitCode.host,
  })
}

/** Where a machine's disks, keys, firmware variables and console log lie. */
export const vmFolder = (ctx: CommandContext): string => `${ctx.outputFolder}/vm`

/** Most disks of one machine. */
export const maxDisks = 16

/** The machine's disks: those that are there stay, unless `reset`; missing ones are made. */
export const disksOf = async (ctx: CommandContext, count: number, reset: boolean): Promise<string[]> => {
  const path = (index: number) => `${vmFolder(ctx)}/disk${index}.qcow2`
  if (reset) {
    for (let index = 0; index < maxDisks; index++) {
      if (await ctx.files.exists(path(index))) await ctx.files.remove(path(index))
    }
  }
  const disks = Array.from({ length: count }, (_, index) => path(index))
  for (const disk of disks) {
    if (!(await ctx.files.exists(disk))) await succeed(ctx, diskCommand(disk, diskSize))
  }
  return disks
}
