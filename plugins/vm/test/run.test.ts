import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandContext, type CommandProcess, ExitCode, isZosError, ZosError } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import run from '../dist/run.js'
import { contextOf, type World } from './context.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-vm-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const outputs = [
  { name: 'vmlinuz', format: 'kernel' },
  { name: 'initramfs.cpio.xz', format: 'initramfs' },
  { name: 'vmlinuz.efi', format: 'uki', facts: { cmdline: 'console=ttyS0 from=uki' } },
]

/** A machine that prints chunks, and then ends by itself or waits to be ended. */
const guest = (chunks: readonly string[], exit?: number) => {
  const seen: { args: readonly string[]; killed: string[] } = { args: [], killed: [] }
  const spawn: CommandContext['spawn'] = ({ args }, { onOutput, onError }): CommandProcess => {
    seen.args = args
    let ended: (code: number) => void
    const code = new Promise<number>((resolve) => {
      ended = resolve
    })
    setTimeout(() => {
      for (const chunk of chunks) onOutput(Buffer.from(chunk))
      if (exit) onError(Buffer.from('qemu: no such thing\n'))
      if (exit !== undefined) ended(exit)
    })
    return {
      exit: code,
      write: () => {},
      kill: (signal) => {
        seen.killed.push(signal)
        ended(143)
      },
    }
  }
  return { spawn, seen }
}

const commands: string[] = []
const tools: CommandContext['run'] = async ({ file, args }) => {
  commands.push([file, ...args].join(' '))
  if (file === 'qemu-img') writeFileSync(args.at(-2)!, '')
  if (file === 'ssh-keygen') for (const end of ['', '.pub']) writeFileSync(`${args.at(-1)}${end}`, 'key\n')
  const stdout = file === 'uname' ? 'x86_64\n' : 'QEMU emulator version 7.2.22\n'
  return { exitCode: 0, stdout, stderr: '' }
}
const hostFiles = {
  '/proc/cpuinfo': 'flags : fpu\n',
  '/usr/share/OVMF/OVMF_CODE_4M.fd': 'code',
  '/usr/share/OVMF/OVMF_VARS_4M.fd': 'variables',
}
const worldOf = (more: Partial<World>): World => ({ folder, outputs, run: tools, hostFiles, ...more })

const failure = async (world: World): Promise<string> => {
  try {
    await run.run(contextOf(world).ctx)
  } catch (error) {
    if (isZosError(error)) return `${error.code} ${error.message} | ${error.hint.join('\n')}`
    throw error
  }
  return 'no error'
}

test('a text that is waited for ends the machine well, and its line is still shown', async () => {
  const { spawn, seen } = guest(['[ 1.0] boot\nzos: re', 'ady after 3.2 s\n'])
  const { ctx, out, err } = contextOf(worldOf({ spawn, options: { expect: 'zos: ready' } }))
  assert.is(await run.run(ctx), 0)
  assert.match(out(), /zos: ready after 3\.2 s\n/)
  assert.match(err(), /^qemu 7\.2\.22, tcg \(no vmx\/svm\), 1024 MB · console also in .*\/vm\/console\.log\n/)
  assert.match(err(), /^ssh -i .*\/vm\/ssh_key .*-p 2222 .* root@127\.0\.0\.1$/m)
  assert.match(seen.args.join(' '), /-fw_cfg name=opt\/zos\/authorized_keys,file=.*\/vm\/authorized_keys/)
  assert.match(err(), /found "zos: ready" after \d+\.\d s/)
  assert.equal(seen.killed, ['SIGTERM'])
  assert.is(readFileSync(join(folder, 'vm/console.log'), 'utf8'), '[ 1.0] boot\nzos: ready after 3.2 s\n')
  assert.ok(seen.args.includes('console=ttyS0 from=uki'))
})

test('a machine that ends first, or does not come to it in time, is an error with the last lines', async () => {
  const ended = await failure(worldOf({ spawn: guest(['Kernel panic\n'], 0).spawn, options: { expect: 'ready' } }))
  assert.match(
    ended,
    /^VM_ENDED the machine ended after .* had not printed "ready" \| all of the console: .*\n {2}Kernel panic$/,
  )
  const late = await failure(worldOf({ spawn: guest(['slow\n']).spawn, options: { expect: 'ready', timeout: 1 } }))
  assert.match(late, /^VM_TIMEOUT the machine did not print "ready" after 1\.\d s \| [\s\S]*slow$/)
  const broken = await failure(worldOf({ spawn: guest([], 1).spawn }))
  assert.match(broken, /^VM_QEMU qemu-system-x86_64 ended with 1 after .*\nqemu: no such thing/)
})

test('disks are kept, and made anew only when asked', async () => {
  const boot = (options: CommandContext['options']) =>
    run.run(contextOf(worldOf({ spawn: guest([], 0).spawn, options })).ctx)
  const made = () => commands.splice(0).filter((line) => line.startsWith('qemu-img')).length
  made()
  await boot({ disks: 2 })
  assert.is(made(), 2)
  await boot({ disks: 3 })
  assert.is(made(), 1)
  await boot({ disks: 1, reset: true })
  assert.is(made(), 1)
  const disksLeft = readdirSync(join(folder, 'vm')).filter((name) => name.startsWith('disk'))
  assert.equal(disksLeft, ['disk0.qcow2'])
})

test('--efi starts vmlinuz.efi with a copy of the firmware’s variables', async () => {
  const { spawn, seen } = guest([], 0)
  const { ctx } = contextOf(worldOf({ spawn, options: { efi: true } }))
  assert.is(await run.run(ctx), 0)
  assert.match(seen.args.join(' '), /OVMF_CODE_4M\.fd .*vm\/efi-variables\.fd -kernel .*\/vmlinuz\.efi/)
  assert.is(readFileSync(join(folder, 'vm/efi-variables.fd'), 'utf8'), 'variables')
  const none = await failure(worldOf({ hostFiles: {}, options: { efi: true } }))
  assert.match(none, /^VM_FIRMWARE there is no UEFI firmware for x86_64.* \| apt-get install ovmf$/)
})

const builtin = [
  { name: 'vmlinuz', format: 'kernel' },
  { name: 'initramfs.cpio.xz', format: 'initramfs' },
  { name: 'vmlinuz.efi', format: 'builtin', facts: { initramfs: 'builtin', cmdline: 'quiet' } },
  { name: 'disk.img', format: 'disk' },
]

test('a kernel with the initramfs in it is started as it is; a raw disk by firmware', async () => {
  const boot = async (options: CommandContext['options'], outputs: World['outputs'] = builtin): Promise<string> => {
    const { spawn, seen } = guest([], 0)
    await run.run(contextOf(worldOf({ spawn, options, outputs: outputs! })).ctx)
    return seen.args.join(' ')
  }
  assert.match(await boot({}), /-kernel \S+\/vmlinuz\.efi -netdev/)
  const [, , { facts: _, ...efi }] = builtin as [unknown, unknown, (typeof builtin)[2]]
  assert.match(await boot({}, [{ ...efi, facts: { initramfs: 'builtin' } }]), /vmlinuz\.efi -append console=ttyS0/)
  assert.match(await boot({ 'disk-image': true }), /OVMF_CODE_4M\.fd .*snapshot=on,file=\S+\/disk\.img .*bootindex=0/)
  assert.match(await failure(worldOf({ options: { 'disk-image': true } })), /left no raw disk \| kernel\(\{ diskSize/)
})

test('--bridge and cloud-hypervisor need what the host has; the tap device goes with the machine', async () => {
  const options = { hypervisor: 'ch', bridge: 'br0', disks: 1 }
  const kvm = { ...hostFiles, '/dev/kvm': '' }
  const none = await failure(worldOf({ options, hostFiles: kvm }))
  assert.match(none, /^VM_BRIDGE this machine has no bridge br0 \| ip link add br0 type bridge/)
  assert.match(await failure(worldOf({ options })), /^VM_KVM cloud-hypervisor needs KVM/)
  commands.splice(0)
  const { spawn, seen } = guest([], 0)
  const { ctx, err } = contextOf(
    worldOf({ spawn, options, hostFiles: { ...kvm, '/sys/class/net/br0/bridge': '', '/etc/machine-id': 'x' } }),
  )
  assert.is(await run.run(ctx), 0)
  assert.match(seen.args.join(' '), /--disk path=\S+\/vm\/disk0\.raw --net tap=zos2222,mac=52:54:00/)
  assert.match(err(), /network card 52:54:00:\S+ on the bridge/)
  assert.equal(
    commands.filter((line) => line.startsWith('ip ')),
    ['ip tuntap add dev zos2222 mode tap', 'ip link set zos2222 master br0 up', 'ip link delete zos2222'],
  )
})

test('KVM that is there is probed with a guest of its own first', async () => {
  const kvm = { ...hostFiles, '/proc/cpuinfo': 'flags : fpu svm\n', '/dev/kvm': '' }
  for (const [printed, expected] of [
    ['zos: probe guest in userspace\n', 'kvm'],
    ['Kernel panic\n', 'tcg'],
  ] as const) {
    const { spawn, seen } = guest([printed], 0)
    const { ctx, err } = contextOf(worldOf({ spawn, hostFiles: kvm }))
    assert.is(await run.run(ctx), 0)
    assert.match(err(), new RegExp(`^qemu 7\\.2\\.22, ${expected} \\(`))
    assert.ok(seen.args.includes(`q35,accel=${expected}`))
  }
})

test('--json gives facts instead of the console', async () => {
  const { ctx, out, err } = contextOf(worldOf({ spawn: guest(['x\n'], 0).spawn, json: true }))
  assert.is(await run.run(ctx), 0)
  assert.is(err(), '')
  const [start, end] = out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { event, accelerator, network, ssh } = start
  const expected = { event: 'start', accelerator: 'tcg', network: { by: 'user', sshPort: 2222 } }
  assert.equal({ event, accelerator, network }, expected)
  assert.equal(ssh.slice(0, 3), ['ssh', '-i', join(folder, 'vm/ssh_key')])
  assert.equal({ ...end, seconds: 0 }, { event: 'end', by: 'itself', seconds: 0 })
})

test('a program that is missing comes with the command that brings it', async () => {
  for (const [missing, options, hint] of [
    ['qemu-system-x86_64', {}, 'apt-get install qemu-system-x86'],
    ['qemu-img', { disks: 1, reset: true }, 'apt-get install qemu-utils'],
  ] as const) {
    const run: CommandContext['run'] = async (command) => {
      if (command.file === missing) throw new ZosError('HOST_TOOL_MISSING', 'not there', { exit: ExitCode.host })
      return tools(command)
    }
    assert.is(
      await failure(worldOf({ run, options })),
      `HOST_TOOL_MISSING the program ${missing} is not there; a virtual machine needs it | ${hint}`,
    )
  }
})

test('Ctrl-C ends the machine', async () => {
  const controller = new AbortController()
  const { spawn, seen } = guest(['up\n'])
  const { ctx } = contextOf(worldOf({ spawn, signal: controller.signal }))
  const done = run.run(ctx)
  setTimeout(() => controller.abort(), 50)
  assert.is(await done, 130)
  assert.equal(seen.killed, ['SIGTERM'])
})

test('without a build, without a kernel, and with wrong options it says so', async () => {
  const { outputs: _, ...nothing } = worldOf({})
  assert.match(await failure(nothing), /^VM_NOT_BUILT .* holds no build \| build it first: zos build$/)
  const named = await failure({ ...nothing, options: { config: 'a.config.ts' } })
  assert.match(named, / \| build it first: zos build -c a\.config\.ts$/)
  assert.match(await failure(worldOf({ outputs: [] })), /^VM_NOT_BUILT the last build left no kernel/)
  assert.match(
    await failure(worldOf({ options: { disks: 99 } })),
    /^USAGE --disks is 99, expected a whole number from 0 to 16/,
  )
  assert.match(await failure(worldOf({ options: { memory: 1.5 } })), /^USAGE --memory is 1\.5/)
  assert.match(await failure(worldOf({ options: { expect: '' } })), /^USAGE --expect is empty/)
})

test.run()
