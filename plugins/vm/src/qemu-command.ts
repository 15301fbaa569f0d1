import { ZosError } from '@zos/core'
import type { Accelerator } from './accelerator.js'
import type { Command, Tool } from './tools.js'

export type GuestArch = 'x86_64' | 'aarch64'

/** How the machine starts. All paths are absolute paths of the host. */
export type Boot =
  /** QEMU itself loads kernel and initramfs. */
  | { readonly by: 'kernel'; readonly kernel: string; readonly initramfs: string; readonly cmdline: string }
  /** UEFI firmware starts an EFI image; `variables` is a file that the firmware writes to. */
  | { readonly by: 'efi'; readonly image: string; readonly code: string; readonly variables: string }

/** A virtual machine, as data. */
export interface Machine {
  readonly arch: GuestArch
  readonly accelerator: Accelerator
  readonly boot: Boot
  /** Mebibytes. */
  readonly memory: number
  readonly cpus: number
  /** qcow2 files, in the order in which the guest sees them as /dev/vda, /dev/vdb, … */
  readonly disks: readonly string[]
  /** Port of 127.0.0.1 that leads to port 22 of the guest; `undefined`: no network card. */
  readonly sshPort: number | undefined
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
  const { arch, accelerator, memory, cpus, disks, sshPort, authorizedKeys } = machine
  const args = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot']
  args.push('-machine', `${boards[arch].machine},accel=${accelerator}`, '-cpu', accelerator === 'kvm' ? 'host' : 'max')
  args.push('-smp', String(cpus), '-m', `${memory}M`)
  args.push('-chardev', 'stdio,id=console,mux=on,signal=off', '-serial', 'chardev:console')
  args.push('-mon', 'chardev=console,mode=readline')
  args.push(...bootArgs(machine.boot))
  for (const [index, path] of disks.entries()) {
    args.push('-drive', `if=none,id=disk${index},format=qcow2,discard=unmap,file=${value(path)}`)
    args.push('-device', `virtio-blk-pci,drive=disk${index},serial=disk${index}`)
  }
  if (sshPort !== undefined) {
    args.push('-netdev', `user,id=net0,hostfwd=tcp:127.0.0.1:${sshPort}-:22`)
    args.push('-device', 'virtio-net-pci,netdev=net0,romfile=')
  }
  if (authorizedKeys !== undefined) args.push('-fw_cfg', `name=${offeredKeys},file=${value(authorizedKeys)}`)
  args.push('-device', 'virtio-rng-pci')
  return { file: qemuProgram(arch), args }
}

const bootArgs = (boot: Boot): string[] => {
  if (boot.by === 'kernel') return ['-kernel', boot.kernel, '-initrd', boot.initramfs, '-append', boot.cmdline]
  return [
    '-drive',
    `if=pflash,unit=0,format=raw,readonly=on,file=${value(boot.code)}`,
    '-drive',
    `if=pflash,unit=1,format=raw,file=${value(boot.variables)}`,
    '-kernel',
    boot.image,
  ]
}

/** Makes an empty disk; it takes room on the host only as the guest fills it. */
export const diskCommand = (path: string, size: string): Command => ({
  file: 'qemu-img',
  args: ['create', '-q', '-f', 'qcow2', path, size],
})

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
