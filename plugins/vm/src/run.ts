import { type CommandContext, type CommandDefinition, ExitCode, ZosError } from '@zos/core'
import { bootOf, disksOf, imageOf, maxDisks, vmFolder } from './machine.js'
import { acceleratorOf } from './probe.js'
import { type GuestArch, type Machine, qemuCommand, qemuVersion, versionCommand } from './qemu-command.js'
import { runSession } from './session.js'
import { loginOf, shellText, sshCommand } from './ssh.js'
import { succeed } from './tools.js'

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
  const version = qemuVersion(await succeed(ctx, versionCommand(arch)))
  await ctx.files.makeFolder(vmFolder(ctx))
  const boot = await bootOf(ctx, image, arch, options.efi)
  const { accelerator, reason } = await acceleratorOf(ctx, arch, image.kernel)
  const disks = await disksOf(ctx, options.disks, options.reset)
  const login = await loginOf(ctx, options.sshKey)
  const sshPort = await ctx.freePort(options.sshPort)
  const ssh = sshCommand(sshPort, login.identity)
  const { memory } = options
  const machine: Machine = { arch, accelerator, boot, memory, cpus: 2, disks, sshPort, authorizedKeys: login.offered }

  const log = `${vmFolder(ctx)}/console.log`
  const say = (event: string, facts: object) => ctx.out(`${JSON.stringify({ event, ...facts })}\n`)
  if (ctx.json) {
    const facts = { qemu: version, accelerator, reason, memory, disks, console: log, sshPort }
    say('start', { ...facts, ssh: [ssh.file, ...ssh.args], ...(login.note !== undefined && { note: login.note }) })
  } else {
    const kept = `${disks.length === 1 ? '1 disk' : `${disks.length} disks`} (${vmFolder(ctx)}/disk*.qcow2, kept; --reset makes them anew)`
    const parts = [`qemu ${version}, ${accelerator} (${reason}), ${memory} MB`]
    ctx.err(`${[...parts, ...(disks.length > 0 ? [kept] : []), `console also in ${log}`].join(' · ')}\n`)
    if (login.note !== undefined) ctx.err(`${login.note}\n`)
    ctx.err(`${shellText(ssh)}${ctx.isTerminal ? ' · Ctrl-A X ends' : ''}\n`)
  }
  const seconds = options.timeout ?? (options.expect === undefined ? undefined : expectLimit)
  const end = await runSession(ctx, qemuCommand(machine), {
    expect: options.expect,
    timeout: seconds === undefined ? undefined : seconds * 1000,
    log,
    show: !ctx.json,
  })
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

interface RunOptions {
  readonly disks: number
  readonly reset: boolean
  readonly memory: number
  readonly efi: boolean
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
  const { expect } = options
  const sshKey = options['ssh-key']
  if (expect === '') usage('--expect is empty')
  if (sshKey === '') usage('--ssh-key is empty')
  return {
    disks: number('disks', 0, maxDisks) ?? 0,
    reset: options.reset === true,
    memory: number('memory', 128, 1_048_576) ?? 1024,
    efi: options.efi === true,
    expect: typeof expect === 'string' ? expect : undefined,
    timeout: number('timeout', 1, 86_400),
    sshPort: number('ssh-port', 1, 65_535) ?? 2222,
    sshKey: typeof sshKey === 'string' ? sshKey : undefined,
  }
}

const command: CommandDefinition = {
  summary: 'Boots the last build in a virtual machine',
  options: {
    disks: { type: 'number', value: 'N', help: 'disks of the machine, 10 GB each, kept between runs' },
    reset: { type: 'boolean', help: 'make all disks anew' },
    memory: { type: 'number', value: 'MB', help: 'memory of the machine (1024)' },
    efi: { type: 'boolean', help: 'start vmlinuz.efi under UEFI firmware instead of kernel and initramfs' },
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
  examples: ['zos run', 'zos run --disks 2 --memory 4096', "zos run --efi --expect 'zos: ready' --timeout 60"],
  run,
}
export default command
