import { type CommandContext, ExitCode, type Manifest, type ManifestOutput, ZosError } from '@zos/core'
import { type Boot, type Disk, diskCommand, firmwarePlaces, type GuestArch, plainCmdline } from './qemu-command.js'
import { succeed } from './tools.js'

/** Room of a new disk, as `qemu-img` takes it; the file grows only as it is filled. */
const diskSize = '10G'

/** What runs the machine: QEMU, or cloud-hypervisor. */
export const hypervisors = ['qemu', 'ch'] as const
export type Hypervisor = (typeof hypervisors)[number]

/** The files of the last build that a machine can start from, as absolute paths. */
export interface Image {
  readonly kernel: string | undefined
  readonly initramfs: string | undefined
  readonly efi: string | undefined
  /** Whether `vmlinuz.efi` is the kernel itself with the initramfs in it, which needs no firmware either. */
  readonly isBuiltin: boolean
  /** Raw disk that starts `vmlinuz.efi`. */
  readonly disk: string | undefined
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
    isBuiltin: efi?.facts?.initramfs === 'builtin',
    disk: path(outputs.find(({ format }) => format === 'disk')),
    cmdline: typeof cmdline === 'string' ? cmdline : undefined,
  }
}

const notBuilt = (what: string, hint = 'run zos build with a config that makes it'): ZosError =>
  new ZosError('VM_NOT_BUILT', `the last build left no ${what}`, { hint })

/** What of the build the machine starts with. */
export type BootWay = 'kernel' | 'efi' | 'disk'

/** How the machine starts; UEFI firmware gets fresh variables. */
export const bootOf = async (
  ctx: CommandContext,
  image: Image,
  arch: GuestArch,
  way: BootWay,
  hypervisor: Hypervisor,
): Promise<Boot> => {
  if (way === 'kernel') return kernelBoot(image, arch)
  const file = way === 'efi' ? image.efi : image.disk
  if (!file)
    throw notBuilt(
      way === 'efi' ? 'vmlinuz.efi' : 'raw disk',
      way === 'disk' ? 'kernel({ diskSize }) makes one' : undefined,
    )
  if (hypervisor === 'ch') return { by: 'disk', disk: file, code: await cloudFirmware(ctx), variables: undefined }
  const { code, variables } = await firmwareOf(ctx, arch)
  const copy = `${vmFolder(ctx)}/efi-variables.fd`
  await ctx.files.copy(variables, copy)
  return way === 'efi'
    ? { by: 'efi', image: file, code, variables: copy }
    : { by: 'disk', disk: file, code, variables: copy }
}

const kernelBoot = ({ kernel, initramfs, efi, isBuiltin, cmdline }: Image, arch: GuestArch): Boot => {
  // The command line of a kernel with the initramfs in it is in it as well, where the config has one.
  if (isBuiltin && efi)
    return {
      by: 'kernel',
      kernel: efi,
      initramfs: undefined,
      cmdline: cmdline === undefined ? plainCmdline(arch) : undefined,
    }
  if (!kernel || !initramfs) throw notBuilt(kernel ? 'initramfs' : 'kernel')
  return { by: 'kernel', kernel, initramfs, cmdline: cmdline ?? plainCmdline(arch) }
}

const firmwareOf = async (ctx: CommandContext, arch: GuestArch): Promise<{ code: string; variables: string }> => {
  for (const { code, variables } of firmwarePlaces[arch])
    if ((await ctx.files.exists(code)) && (await ctx.files.exists(variables))) return { code, variables }
  const looked = firmwarePlaces[arch].map(({ code }) => code).join(', ')
  throw new ZosError('VM_FIRMWARE', `there is no UEFI firmware for ${arch}; looked for ${looked}`, {
    hint: arch === 'x86_64' ? 'apt-get install ovmf' : 'apt-get install qemu-efi-aarch64',
    exit: ExitCode.host,
  })
}

/** Where people put the firmware that edk2 builds for cloud-hypervisor. */
const cloudFirmwarePlaces = ['/usr/share/cloud-hypervisor/CLOUDHV.fd', '/usr/local/share/cloud-hypervisor/CLOUDHV.fd']

const cloudFirmware = async (ctx: CommandContext): Promise<string> => {
  for (const place of cloudFirmwarePlaces) if (await ctx.files.exists(place)) return place
  throw new ZosError(
    'VM_FIRMWARE',
    `there is no firmware for cloud-hypervisor; looked for ${cloudFirmwarePlaces.join(', ')}`,
    {
      hint: 'CLOUDHV.fd is at https://github.com/cloud-hypervisor/edk2/releases',
      exit: ExitCode.host,
    },
  )
}

/** Where a machine's disks, keys, firmware variables and console log lie. */
export const vmFolder = (ctx: CommandContext): string => `${ctx.outputFolder}/vm`

/** Most disks of one machine. */
export const maxDisks = 16

/** The machine's disks: those that are there stay, unless `reset`; missing ones are made. cloud-hypervisor gets raw ones. */
export const disksOf = async (
  ctx: CommandContext,
  count: number,
  reset: boolean,
  hypervisor: Hypervisor,
): Promise<Disk[]> => {
  const format = hypervisor === 'ch' ? 'raw' : 'qcow2'
  const path = (index: number) => `${vmFolder(ctx)}/disk${index}.${format}`
  if (reset) {
    for (let index = 0; index < maxDisks; index++) {
      if (await ctx.files.exists(path(index))) await ctx.files.remove(path(index))
    }
  }
  const disks = Array.from({ length: count }, (_, index): Disk => ({ path: path(index), format }))
  for (const disk of disks) {
    if (!(await ctx.files.exists(disk.path))) await succeed(ctx, diskCommand(disk, diskSize))
  }
  return disks
}
