import { ZosError } from '@zos/core'
import type { Accelerator } from './accelerator.js'
import type { Network } from './network.js'
import type { Command, Tool } from './tools.js'

export type GuestArch = 'x86_64' | 'aarch64'

/** How the machine starts. All paths are absolute paths of the host. */
export type Boot =
  /** The hypervisor itself loads the kernel, with the initramfs where it is not in the kernel. */
  | {
      readonly by: 'kernel'
      readonly kernel: string
      readonly initramfs: string | undefined
      /** `undefined`: the one that is built into the kernel. */
      readonly cmdline: string | undefined
    }
  /** UEFI firmware starts an EFI image; `variables` is a file that the firmware writes to. */
  | { readonly by: 'efi'; readonly image: string; readonly code: string; readonly variables: string }
  /** UEFI firmware starts what lies on a raw disk; what the guest writes there is forgotten. */
  | { readonly by: 'disk'; readonly disk: string; readonly code: string; readonly variables: string | undefined }

export interface Disk {
  readonly path: string
  readonly format: 'qcow2' | 'raw'
}

/** A virtual machine, as data. */
export interface Machine {
  readonly arch: GuestArch
  readonly accelerator: Accelerator
  readonly boot: Boot
  /** Mebibytes. */
  readonly memory: number
  readonly cpus: number
  /** In the order in which the guest sees them as /dev/vda, /dev/vdb, …; a disk that it boots from is before them. */
  readonly disks: readonly Disk[]
  /** `undefined`: no network card. */
  readonly network: Network | undefined
  /** File with public keys that the guest is offered under `offeredKeys`. */
  readonly authorizedKeys: string | undefined
}

/**
 * Where QEMU's fw_cfg device shows the keys; a Linux guest with `qemu_fw_cfg` reads them from
 * `/sys/firmware/qemu_fw_cfg/by_name/opt/zos/authorized_keys/raw`. Names of users of QEMU begin with `opt/` and have at
 * most 55 bytes (QEMU, docs/specs/fw_cfg.rst). Bytes of the image and the kernel's command line stay as they are.
 */
export const offeredKeys = 'opt/zos/authorized_keys'

const boards: Record<GuestArch, { readonly machine: string; readonly console: string }> = {
  x86_64: { machine: 'q35', console: 'ttyS0' },
  aarch64: { machine: 'virt', console: 'ttyAMA0' },
}

/** Name of QEMU's program for an architecture. */
export const qemuProgram = (arch: GuestArch): Tool => `qemu-system-${arch}`

/** Kernel command line where the build names none: serial console, and an end instead of a hang after a panic. */
export const plainCmdline = (arch: GuestArch): string => `console=${boards[arch].console} panic=1`

/** A value inside one of QEMU's comma-separated options. */
const value = (text: string): string => {
  if (/[\0\n]/.test(text))
    throw new ZosError('VM_PATH', `a path with a line break cannot be given to QEMU: ${JSON.stringify(text)}`)
  return text.replaceAll(',', ',,')
}

/**
 * The command line of a machine whose serial console, with QEMU's monitor behind Ctrl-A, is on standard input and
 * output. It has no devices but those asked for, no display, and ends when the guest restarts.
 */
export const qemuCommand = (machine: Machine): Command => {
  const { arch, accelerator, memory, cpus, disks, network, authorizedKeys } = machine
  const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot']
  args.push('-machine', `${boards[arch].machine},accel=${accelerator}`, '-cpu', accelerator === 'kvm' ? 'host' : 'max')
  args.push('-smp', String(cpus), '-m', `${memory}M`)
  args.push('-chardev', 'stdio,id=console,mux=on,signal=off', '-serial', 'chardev:console')
  args.push('-mon', 'chardev=console,mode=readline')
  args.push(...bootArgs(machine.boot))
  for (const [index, { path, format }] of disks.entries()) {
    args.push('-drive', `if=none,id=disk${index},format=${format},discard=unmap,file=${value(path)}`)
    args.push('-device', `virtio-blk-pci,drive=disk${index},serial=disk${index}`)
  }
  if (network !== undefined) args.push(...networkArgs(network))
  if (authorizedKeys !== undefined) args.push('-fw_cfg', `name=${offeredKeys},file=${value(authorizedKeys)}`)
  args.push('-device', 'virtio-rng-pci')
  return { file: qemuProgram(arch), args }
}

const networkArgs = (network: Network): string[] => {
  switch (network.by) {
    case 'user':
      return [
        ...['-netdev', `user,id=net0,hostfwd=tcp:127.0.0.1:${network.sshPort}-:22`],
        ...['-device', 'virtio-net-pci,netdev=net0,romfile='],
      ]
    case 'bridge':
      return [
        ...['-netdev', `bridge,id=net0,br=${network.bridge}`],
        ...['-device', `virtio-net-pci,netdev=net0,romfile=,mac=${network.mac}`],
      ]
    case 'tap':
      return [
        ...['-netdev', `tap,id=net0,ifname=${network.tap},script=no,downscript=no`],
        ...['-device', `virtio-net-pci,netdev=net0,romfile=,mac=${network.mac}`],
      ]
  }
}

const firmwareArgs = (code: string, variables: string | undefined): string[] => [
  ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${value(code)}`],
  ...(variables === undefined ? [] : ['-drive', `if=pflash,unit=1,format=raw,file=${value(variables)}`]),
]

const bootArgs = (boot: Boot): string[] => {
  switch (boot.by) {
    case 'kernel':
      return [
        ...['-kernel', boot.kernel],
        ...(boot.initramfs === undefined ? [] : ['-initrd', boot.initramfs]),
        ...(boot.cmdline === undefined ? [] : ['-append', boot.cmdline]),
      ]
    case 'efi':
      return [...firmwareArgs(boot.code, boot.variables), '-kernel', boot.image]
    case 'disk':
      return [
        ...firmwareArgs(boot.code, boot.variables),
        ...['-drive', `if=none,id=boot,format=raw,snapshot=on,file=${value(boot.disk)}`],
        ...['-device', 'virtio-blk-pci,drive=boot,serial=boot,bootindex=0'],
      ]
  }
}

/** Makes an empty disk; it takes room on the host only as the guest fills it. */
export const diskCommand = ({ path, format }: Disk, size: string): Command =>
  format === 'raw'
    ? { file: 'truncate', args: ['-s', size, path] }
    : { file: 'qemu-img', args: ['create', '-q', '-f', 'qcow2', path, size] }

/** Asks QEMU for its version; see `qemuVersion`. */
export const versionCommand = (arch: GuestArch): Command => ({ file: qemuProgram(arch), args: ['--version'] })

/** `7.2.22` of `QEMU emulator version 7.2.22 (Debian …)`; `unknown` for another text. */
export const qemuVersion = (text: string): string => /version (\d+(?:\.\d+)+)/.exec(text)?.[1] ?? 'unknown'

/** UEFI firmware as distributions install it: code, and the variables to copy; the first pair that is there is taken. */
export const firmwarePlaces: Record<GuestArch, readonly { readonly code: string; readonly variables: string }[]> = {
  x86_64: [
    { code: '/usr/share/OVMF/OVMF_CODE_4M.fd', variables: '/usr/share/OVMF/OVMF_VARS_4M.fd' },
    { code: '/usr/share/OVMF/OVMF_CODE.fd', variables: '/usr/share/OVMF/OVMF_VARS.fd' },
    { code: '/usr/share/edk2/ovmf/OVMF_CODE.fd', variables: '/usr/share/edk2/ovmf/OVMF_VARS.fd' },
    { code: '/usr/share/edk2/x64/OVMF_CODE.4m.fd', variables: '/usr/share/edk2/x64/OVMF_VARS.4m.fd' },
  ],
  aarch64: [
    { code: '/usr/share/AAVMF/AAVMF_CODE.fd', variables: '/usr/share/AAVMF/AAVMF_VARS.fd' },
    {
      code: '/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw',
      variables: '/usr/share/edk2/aarch64/vars-template-pflash.raw',
    },
  ],
}
