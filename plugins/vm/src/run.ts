import { type CommandContext, type CommandDefinition, ExitCode, ZosError } from '@zos/core'
import type { Accelerator } from './accelerator.js'
import { cloudHypervisorCommand, cloudHypervisorVersion } from './cloud-hypervisor-command.js'
import { type BootWay, bootOf, disksOf, type Hypervisor, hypervisors, imageOf, maxDisks, vmFolder } from './machine.js'
import { checkBridge, type Network, networkOf, withTap } from './network.js'
import { acceleratorOf } from './probe.js'
import { type GuestArch, type Machine, qemuCommand, qemuVersion, versionCommand } from './qemu-command.js'
import { runSession } from './session.js'
import { loginOf, noLogin, shellText, sshCommand } from './ssh.js'
import { type Command, succeed } from './tools.js'

/** Time in seconds that `--expect` waits where `--timeout` says nothing else. */
const expectLimit = 120

const run = async (ctx: CommandContext): Promise<number> => {
  const options = readOptions(ctx)
  const arch: GuestArch = ctx.settings.arch
  const manifest = await ctx.manifest()
  if (!manifest) {
    const config = ctx.options.config === undefined ? '' : ` -c ${ctx.options.config}`
    throw new ZosError('VM_NOT_BUILT', `${ctx.outputFolder} holds no build`, {
      hint: `build it first: zos build${config}`,
    })
  }
  const image = imageOf(manifest, ctx.outputFolder)
  const { hypervisor, memory } = options
  const version = await versionOf(ctx, arch, hypervisor)
  await ctx.files.makeFolder(vmFolder(ctx))
  const boot = await bootOf(ctx, image, arch, options.way, hypervisor)
  const { accelerator, reason } = await hypervisorAccelerator(ctx, arch, image.kernel, hypervisor)
  const disks = await disksOf(ctx, options.disks, options.reset, hypervisor)
  const port = await ctx.freePort(options.sshPort)
  const network = await networkOf(ctx, options, port)
  // Keys come through QEMU's fw_cfg device, which cloud-hypervisor has not.
  const login = hypervisor === 'qemu' ? await loginOf(ctx, options.sshKey) : noLogin
  const machine: Machine = { arch, accelerator, boot, memory, cpus: 2, disks, network, authorizedKeys: login.offered }
  const ssh = network?.by === 'user' ? sshCommand(network.sshPort, login.identity) : undefined

  const log = `${vmFolder(ctx)}/console.log`
  const say = (event: string, facts: object) => ctx.out(`${JSON.stringify({ event, ...facts })}\n`)
  if (ctx.json) {
    const facts = {
      hypervisor,
      version,
      accelerator,
      reason,
      memory,
      disks: disks.map(({ path }) => path),
      console: log,
      network,
    }
    say('start', {
      ...facts,
      ...(ssh && { ssh: [ssh.file, ...ssh.args] }),
      ...(login.note !== undefined && { note: login.note }),
    })
  } else {
    const kept = `${disks.length === 1 ? '1 disk' : `${disks.length} disks`} (${vmFolder(ctx)}/disk*.${disks[0]?.format}, kept; --reset makes them anew)`
    const parts = [
      `${hypervisor === 'ch' ? 'cloud-hypervisor' : 'qemu'} ${version}, ${accelerator} (${reason}), ${memory} MB`,
    ]
    ctx.err(`${[...parts, ...(disks.length > 0 ? [kept] : []), `console also in ${log}`].join(' · ')}\n`)
    if (login.note !== undefined) ctx.err(`${login.note}\n`)
    ctx.err(`${wayIn(network, ssh)}${ctx.isTerminal && hypervisor === 'qemu' ? ' · Ctrl-A X ends' : ''}\n`)
  }
  const seconds = options.timeout ?? (options.expect === undefined ? undefined : expectLimit)
  const session = {
    expect: options.expect,
    timeout: seconds === undefined ? undefined : seconds * 1000,
    log,
    show: !ctx.json,
  }
  const command = hypervisor === 'ch' ? cloudHypervisorCommand(machine) : qemuCommand(machine)
  const end = await withTap(ctx, network, options.bridge, () => runSession(ctx, command, session))
  const after = (end.after / 1000).toFixed(1)
  if (ctx.json) {
    say('end', { by: end.by, seconds: Number(after) })
  } else if (end.by === 'expected') {
    ctx.err(`\nfound ${JSON.stringify(options.expect)} after ${after} s · ${log}\n`)
  } else {
    ctx.err(`\nthe machine ended after ${after} s · ${log}\n`)
  }
  return ctx.signal.aborted ? ExitCode.interrupted : ExitCode.ok
}

const versionOf = async (ctx: CommandContext, arch: GuestArch, hypervisor: Hypervisor): Promise<string> =>
  hypervisor === 'ch'
    ? (await succeed(ctx, cloudHypervisorVersion)).trim().replace(/^cloud-hypervisor v?/, '')
    : qemuVersion(await succeed(ctx, versionCommand(arch)))

/** cloud-hypervisor has no emulation to fall back to. */
const hypervisorAccelerator = async (
  ctx: CommandContext,
  arch: GuestArch,
  kernel: string | undefined,
  hypervisor: Hypervisor,
): Promise<{ accelerator: Accelerator; reason: string }> => {
  if (hypervisor === 'qemu') return acceleratorOf(ctx, arch, kernel)
  if (await ctx.files.exists('/dev/kvm')) return { accelerator: 'kvm', reason: 'the only one' }
  throw new ZosError('VM_KVM', 'cloud-hypervisor needs KVM, and there is no /dev/kvm', {
    hint: 'zos run without --hypervisor ch emulates the machine in QEMU',
    exit: ExitCode.host,
  })
}

/** What a person reads to get in. */
const wayIn = (network: Network | undefined, ssh: Command | undefined): string => {
  if (ssh) return shellText(ssh)
  return network && 'mac' in network
    ? `network card ${network.mac} on the bridge: ssh root@ADDRESS, the address is what that network gives`
    : 'no network: cloud-hypervisor has none of its own, --bridge NAME gives it one'
}

interface RunOptions {
  readonly hypervisor: Hypervisor
  readonly bridge: string | undefined
  readonly disks: number
  readonly reset: boolean
  readonly memory: number
  readonly way: BootWay
  readonly expect: string | undefined
  readonly timeout: number | undefined
  readonly sshPort: number
  readonly sshKey: string | undefined
}

const readOptions = ({ options, args }: CommandContext): RunOptions => {
  const usage = (message: string): never => {
    throw new ZosError('USAGE', message, { exit: ExitCode.usage, hint: 'see zos run --help' })
  }
  if (args.length > 0) usage(`zos run takes no arguments, found ${args.join(' ')}`)
  const number = (name: string, low: number, high: number): number | undefined => {
    const value = options[name]
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
    return usage(`--${name} is ${String(value)}, expected a whole number from ${low} to ${high}`)
  }
  const { expect, hypervisor = 'qemu' } = options
  if (options.efi === true && options['disk-image'] === true)
    usage('--efi and --disk-image are two ways to start: give one')
  if (!isHypervisor(hypervisor)) usage(`--hypervisor is ${String(hypervisor)}, expected ${hypervisors.join(' or ')}`)
  const sshKey = options['ssh-key']
  if (expect === '') usage('--expect is empty')
  if (sshKey === '') usage('--ssh-key is empty')
  return {
    hypervisor: hypervisor as Hypervisor,
    bridge: typeof options.bridge === 'string' ? checkBridge(options.bridge) : undefined,
    disks: number('disks', 0, maxDisks) ?? 0,
    reset: options.reset === true,
    memory: number('memory', 128, 1_048_576) ?? 1024,
    way: options['disk-image'] === true ? 'disk' : options.efi === true ? 'efi' : 'kernel',
    expect: typeof expect === 'string' ? expect : undefined,
    timeout: number('timeout', 1, 86_400),
    sshPort: number('ssh-port', 1, 65_535) ?? 2222,
    sshKey: typeof sshKey === 'string' ? sshKey : undefined,
  }
}

const isHypervisor = (value: unknown): value is Hypervisor => hypervisors.some((name) => name === value)

const command: CommandDefinition = {
  summary: 'Boots the last build in a virtual machine',
  options: {
    disks: { type: 'number', value: 'N', help: 'disks of the machine, 10 GB each, kept between runs' },
    reset: { type: 'boolean', help: 'make all disks anew' },
    memory: { type: 'number', value: 'MB', help: 'memory of the machine (1024)' },
    efi: { type: 'boolean', help: 'start vmlinuz.efi under UEFI firmware instead of kernel and initramfs' },
    'disk-image': { type: 'boolean', help: 'start the raw disk image of the build under UEFI firmware' },
    hypervisor: { type: 'string', value: 'NAME', help: 'qemu, or ch for cloud-hypervisor with raw disks (qemu)' },
    bridge: { type: 'string', value: 'NAME', help: 'put the network card on a bridge of this machine' },
    expect: { type: 'string', value: 'TEXT', help: 'end well once the console has printed this' },
    timeout: { type: 'number', value: 'SECONDS', help: 'end badly after this time (with --expect: 120)' },
    'ssh-port': {
      type: 'number',
      value: 'PORT',
      help: 'port of this machine that leads to port 22 (2222, else a free one)',
    },
    'ssh-key': {
      type: 'string',
      value: 'FILE',
      help: 'public keys of those who may log in (else a key made for it, vm/ssh_key in the output folder)',
    },
  },
  examples: [
    'zos run',
    'zos run --disks 2 --memory 4096',
    "zos run --efi --expect 'zos: ready' --timeout 60",
    'zos run --hypervisor ch --bridge br0 --disks 1',
  ],
  run,
}
export default command
