// time limit: 2400 s
// The quickstart with a kernel of its own: compiled, linked with the initramfs in it, booted, linked again;
// and what is said where the config, the sources or the machine are not as they should be.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Build, build, expectRan, outputOf, project, ranIn, startZos, storeOf, succeed, zos } from './zos.js'

const config = 'variants/quickstart-builtin.config.ts'
const output = join(project, 'dist/quickstart-builtin')
/** Seconds: a build that compiles the kernel; one that does not; a boot; one by firmware. */
const limits = { build: 1800, again: 300, boot: 180, firmware: 240 }

const folder = mkdtempSync(join(tmpdir(), 'zos-kernel-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

let first: Build | undefined
const built = (): Build => {
  assert.ok(first, 'the kernel was not built')
  return first
}

test('zos build compiles the kernel, and links it with the initramfs in it', async () => {
  first = await build(config, project, limits.build)
  const { name, aliases, facts, size } = outputOf(first, 'builtin')
  const release = String(facts?.release)
  assert.match(release, /^6\.12\.\d+-quickstart$/)
  assert.is(name, 'vmlinuz.efi')
  assert.equal(aliases, [`vmlinuz-${release}.efi`])
  assert.is(outputOf(first, 'kernel').facts?.release, release)
  const initramfs = outputOf(first, 'initramfs')
  assert.ok(size > initramfs.size, 'the initramfs is larger than what it should be in')
  assert.ok(outputOf(first, 'kernel').size < initramfs.size, 'the plain kernel has an initramfs in it')
  assert.is(outputOf(first, 'disk').size, 64 * 1024 ** 2)
})

const consoleFile = join(output, 'vm/console.log')
const consoleText = (): string =>
  existsSync(consoleFile) ? readFileSync(consoleFile, 'utf8').replaceAll('\r', '') : ''

test('it boots by -kernel to zinit, with its modules and the release that was computed, and provisions its disk', async () => {
  const { release } = outputOf(built(), 'builtin').facts!
  const run = ['run', '-c', config, '--timeout', String(limits.boot), '--disks', '1', '--reset', '--json']
  // What an earlier run printed is no answer.
  rmSync(consoleFile, { force: true })
  const machine = startZos(run, project, limits.boot + 10)
  const { ssh } = JSON.parse(await machine.firstLine) as { ssh: string[] }
  const until = performance.now() + limits.boot * 1000
  while (!/zos: ready/.test(consoleText())) {
    assert.ok(performance.now() < until, `not ready:\n${consoleText()}`)
    await new Promise((wake) => setTimeout(wake, 200))
  }
  const script = `uname -r; cat /proc/1/comm
n=0; while [ ! -s /run/zosstorage/state.json ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done
cut -d" " -f1,3 /proc/mounts | tr '\\n' ';'; echo; cut -d" " -f1 /proc/modules; cat /proc/cmdline`
  const { stdout } = await succeed(ssh[0]!, [...ssh.slice(1), script], folder, 120)
  const [uname, comm, mounts, ...rest] = stdout.trim().split('\n')
  assert.is(uname, release)
  assert.is(comm, 'zinit-pid1')
  assert.match(mounts!, /\/dev\/vda\d btrfs;/)
  for (const module of ['virtio_pci', 'virtio_net', 'virtio_blk', 'af_packet', 'qemu_fw_cfg', 'net_failover'])
    assert.ok(rest.includes(module), `${module} is not among ${rest.join(' ')}`)
  assert.match(rest.at(-1)!, 'console=ttyS0 panic=10 no_timer_check quiet')
  await succeed(ssh[0]!, [...ssh.slice(1), 'zinit poweroff'], folder, 60).catch(() => undefined)
  const { end, stderr } = await machine.ended
  assert.is(end, 0, stderr)
  assert.not.match(consoleText(), /Kernel panic/)
})

test('firmware boots it from the ESP of its disk image', async () => {
  built()
  const expect = ['--expect', 'zos: ready', '--timeout', String(limits.firmware)]
  await zos(['run', '-c', config, '--disk-image', ...expect], project, limits.firmware + 10)
  assert.not.match(consoleText(), /Kernel panic/)
})

/** A copy of the project that shares the checkout's store: what is compiled is compiled once. */
const copyOf = (name: string): string => {
  const copy = join(folder, name)
  mkdirSync(join(copy, 'config'), { recursive: true })
  for (const path of ['package.json', 'config/quickstart', 'variants', 'plugins/zosstorage/crate'])
    cpSync(join(project, path), join(copy, path), { recursive: true, filter: (from) => !from.endsWith('/target') })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
  symlinkSync(storeOf(project), join(copy, '.zos'))
  return copy
}

test('another unit links again and compiles nothing; the old bytes come back with the old unit', async () => {
  built()
  const copy = copyOf('relink')
  const again = () => build(config, copy, limits.again)
  expectRan(await again(), [])
  const unit = join(copy, 'config/quickstart/zinit/sshd.yaml')
  const text = readFileSync(unit, 'utf8')
  // Another idle time on each run: the store remembers the edit of the one before.
  writeFileSync(unit, text.replace('dropbear -F', `dropbear -I ${86_400 + (Date.now() % 1_000_000)} -F`))
  const changed = await again()
  const initramfs = outputOf(changed, 'initramfs').name
  const expected = ['assemble zinit/units', 'pack disk.img', `pack ${initramfs}`, 'pack vmlinuz.efi']
  expectRan(changed, expected, 'check')
  assert.not.ok(ranIn(changed).includes('build kernel/linux'))
  assert.is.not(outputOf(changed, 'builtin').sha256, outputOf(built(), 'builtin').sha256)
  assert.is(outputOf(changed, 'kernel').sha256, outputOf(built(), 'kernel').sha256)
  writeFileSync(unit, text)
  assert.is(outputOf(await again(), 'builtin').sha256, outputOf(built(), 'builtin').sha256)
})

/** The text that a build ends with that has to fail. */
const failure = async (copy: string, file = config, env: Record<string, string> = {}): Promise<string> => {
  const { end, stderr, stdout } = await startZos(['build', '-c', file], copy, limits.again, env).ended
  assert.is.not(end, 0, 'the build went well')
  return stdout + stderr
}

test('each line of a config that was not taken is named, with the reason', async () => {
  built()
  const copy = copyOf('refused')
  const fragment = join(copy, 'config/quickstart/kernel.config')
  const text = readFileSync(fragment, 'utf8')
  writeFileSync(fragment, `${text}CONFIG_NFS_V4=y\nCONFIG_VIRTIO_NTE=m\nCONFIG_BSD_PROCESS_ACCT=m\n`)
  const line = text.split('\n').length
  const said = await failure(copy)
  assert.match(said, 'error KERNEL_CONFIG_REFUSED')
  const at = (offset: number) => `config/quickstart/kernel\\.config:${line + offset}`
  assert.match(
    said,
    new RegExp(`${at(0)}: CONFIG_NFS_V4=y is not taken \\(it is n\\): needs .*\\(fs/nfs/Kconfig:\\d+\\)`),
  )
  assert.match(said, new RegExp(`${at(1)}: CONFIG_VIRTIO_NTE=m .*no such symbol; did you mean CONFIG_VIRTIO_NET\\?`))
  assert.match(said, new RegExp(`${at(2)}: CONFIG_BSD_PROCESS_ACCT=m .*it is a bool, y or n`))
})

/** A patch that puts a line before the first one of a file. */
const patchOf = (path: string, before: string, line: string): string =>
  `--- a/${path}\n+++ b/${path}\n@@ -1 +1,2 @@\n+${line}\n ${before}\n`

/** What is asked of a kernel's makefile until it compiles, and a first file. */
const makefile = `tinyconfig:
\t@: >$(O)/.config
olddefconfig:
\t@:
kernelversion:
\t@echo 6.12.0
bzImage:
\tgcc -c kernel/bounds.c -o $(O)/bounds.o
`

/** A copy of the project whose kernel has next to no sources: enough for what fails before they are read. */
const emptyKernel = (name: string, options: string): string => {
  const copy = copyOf(name)
  for (const part of ['Documentation', 'kernel']) mkdirSync(join(copy, 'linux', part), { recursive: true })
  writeFileSync(join(copy, 'linux/Documentation/index.rst'), '')
  writeFileSync(join(copy, 'linux/Kconfig'), '')
  writeFileSync(join(copy, 'linux/Makefile'), makefile)
  writeFileSync(join(copy, 'linux/kernel/bounds.c'), 'int bounds;\n')
  writeFileSync(
    join(copy, 'zos.config.ts'),
    `import { defineConfig, path } from '@zos/core'
import { kernel } from '@zos/kernel'
const source = path('linux')
const linux = kernel({ source, config: { base: 'tinyconfig' }, modules: {}, embed: 'none', ${options} })
export default defineConfig({ name: '${name}', plugins: [linux] })
`,
  )
  return copy
}

test('a patch that does not fit is named', async () => {
  const copy = emptyKernel('patch', "patches: ['test.patch']")
  writeFileSync(join(copy, 'test.patch'), patchOf('kernel/bounds.c', '// another first line', '// a line'))
  const said = await failure(copy, 'zos.config.ts')
  assert.match(said, 'error KERNEL_SOURCES')
  assert.match(said, /error: patches\/0000\.patch does not fit/)
})

test('an error of the compiler comes in its own words, with the log and the way to a shell', async () => {
  const copy = emptyKernel('compile', '')
  writeFileSync(join(copy, 'linux/kernel/bounds.c'), 'int bounds;\nint more = acme_reset();\n')
  const said = await failure(copy, 'zos.config.ts')
  assert.match(said, /error KERNEL_COMPILE \[kernel, build\]/)
  assert.match(said, /kernel\/bounds\.c:2:12: error: initializer element is not constant/)
  assert.match(said, /log: +\S+compile\.log \(line \d+\)/)
  assert.match(said, /shell: zos shell kernel\/linux/)
})

test('a full disk is named', async () => {
  const copy = emptyKernel('full', '')
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=30m', 'zos-test', disk], { encoding: 'utf8' })
  if (mount.status !== 0) {
    console.log(`skip a full disk is named: ${mount.stderr?.trim() || mount.error?.message}`)
    return
  }
  try {
    // The store has them, the command has them, and its archive of them finds no room.
    writeFileSync(join(copy, 'linux/kernel/data.bin'), randomBytes(12 << 20))
    const said = await failure(copy, 'zos.config.ts', { ZOS_STORE: disk })
    assert.match(said, /error KERNEL_SOURCES [\s\S]*No space left on device/)
    assert.match(said, /hint: .*make room for the store, or name another folder with ZOS_STORE/s)
  } finally {
    spawnSync('umount', ['--lazy', disk])
  }
})

test('a tool that is missing is named before anything is unpacked', async () => {
  const said = await failure(emptyKernel('tool', ''), 'zos.config.ts', { PATH: '/usr/sbin:/sbin' })
  assert.match(said, /error HOST_TOOL_MISSING .*[\s\S]*apt-get install bc bison build-essential flex libelf-dev perl/)
})

test.run()
