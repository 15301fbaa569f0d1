import { ZosError } from '@zos/core'
import type { Boot, Machine } from './qemu-command.js'
import type { Command } from './tools.js'

/** A value inside one of cloud-hypervisor's comma-separated options; it knows no way to write a comma there. */
const value = (text: string): string => {
  if (/[,\0\n]/.test(text) || text.includes('"'))
    throw new ZosError(
      'VM_PATH',
      `a path with a comma, a quote or a line break cannot be given to cloud-hypervisor: ${JSON.stringify(text)}`,
      {
        hint: 'move the project, or run it in QEMU',
      },
    )
  return text
}

/** How it boots. Its firmware brings no variables, and starts what lies on a disk only. */
const bootArgs = (boot: Boot): { readonly args: string[]; readonly disks: readonly string[] } => {
  switch (boot.by) {
    case 'kernel': {
      const initramfs = boot.initramfs === undefined ? [] : ['--initramfs', boot.initramfs]
      const cmdline = boot.cmdline === undefined ? [] : ['--cmdline', boot.cmdline]
      return { args: ['--kernel', boot.kernel, ...initramfs, ...cmdline], disks: [] }
    }
    case 'disk':
      // The build's own file stays as it is.
      return { args: ['--firmware', boot.code], disks: [`path=${value(boot.disk)},readonly=on`] }
    case 'efi':
      throw new ZosError('VM_BOOT', 'the firmware of cloud-hypervisor starts a disk, not a file', {
        hint: 'zos run --hypervisor ch --disk-image, or without --efi',
      })
  }
}

/**
 * The command line of a machine in cloud-hypervisor (its docs/, from version 30 on): the serial console on standard
 * input and output, raw disks, a network card where a tap device is named.
 */
export const cloudHypervisorCommand = (machine: Machine): Command => {
  const { boot, memory, cpus, disks, network } = machine
  const { args, disks: first } = bootArgs(boot)
  const all = [...first, ...disks.map(({ path }) => `path=${value(path)}`)]
  return {
    file: 'cloud-hypervisor',
    args: [
      ...args,
      ...['--cpus', `boot=${cpus}`, '--memory', `size=${memory}M`],
      ...(all.length > 0 ? ['--disk', ...all] : []),
      ...(network?.by === 'tap' ? ['--net', `tap=${network.tap},mac=${network.mac}`] : []),
      ...['--serial', 'tty', '--console', 'off', '--rng', 'src=/dev/urandom'],
    ],
  }
}

/** Asks cloud-hypervisor for its version: `cloud-hypervisor v41.0`. */
export const cloudHypervisorVersion: Command = { file: 'cloud-hypervisor', args: ['--version'] }
