import type { CommandContext } from '@zos/core'
import { type Accelerator, decideAccelerator } from './accelerator.js'
import { TextWatch } from './console.js'
import { vmFolder } from './machine.js'
import { probeInitramfs, probeText } from './probe-guest.js'
import { type GuestArch, plainCmdline, qemuCommand } from './qemu-command.js'
import { succeed } from './tools.js'

/** Time in milliseconds that a probe guest gets to reach userspace; with a KVM that works it takes about one second. */
const probeLimit = 10_000

/** Starts the image's kernel with nothing but a program that prints a line, and waits for the line. */
export const probe = async (
  ctx: CommandContext,
  arch: GuestArch,
  kernel: string,
  accelerator: Accelerator = 'kvm',
): Promise<'userspace' | 'silent'> => {
  const initramfs = `${vmFolder(ctx)}/probe.cpio`
  await ctx.files.write(initramfs, await probeInitramfs())
  const cmdline = plainCmdline(arch)
  const boot = { by: 'kernel', kernel, initramfs, cmdline } as const
  const without = { disks: [], network: undefined, authorizedKeys: undefined }
  const command = qemuCommand({ arch, accelerator, boot, memory: 256, cpus: 1, ...without })
  const watch = new TextWatch(probeText)
  const guest = ctx.spawn(command, { onOutput: (chunk) => watch.push(chunk), onError: () => {} })
  const timer = setTimeout(() => guest.kill('SIGKILL'), probeLimit)
  await guest.exit
  clearTimeout(timer)
  await ctx.files.remove(initramfs)
  return watch.found ? 'userspace' : 'silent'
}

/** What to run the machine with, and why. A probe guest is started only where KVM could work. */
export const acceleratorOf = async (
  ctx: CommandContext,
  guest: GuestArch,
  kernel: string | undefined,
): Promise<{ accelerator: Accelerator; reason: string }> => {
  const facts = {
    guest,
    host: (await succeed(ctx, { file: 'uname', args: ['-m'] })).trim(),
    cpuinfo: await ctx.files.text('/proc/cpuinfo'),
    device: await ctx.files.exists('/dev/kvm'),
  }
  const decision = decideAccelerator({ ...facts, probe: undefined })
  if (decision !== 'probe') return decision
  const seen = kernel === undefined ? 'silent' : await probe(ctx, guest, kernel)
  const second = decideAccelerator({ ...facts, probe: seen })
  return second === 'probe' ? { accelerator: 'tcg', reason: 'no probe was made' } : second
}
