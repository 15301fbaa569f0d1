// time limit: 1500 s
// The flagship config, unchanged, built against a mirror of Debian's packages in Alpine's format and local repositories, and
// booted. Real: the Alpine side, zinit, zosstorage, sshd, redis, udev. Stand-ins, which say so on the console: rfs, mycelium,
// corex.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeZeroOsProject, type ZeroOsProject } from './zero-os-project.js'
import { type Build, build, expectRan, start, startZos, succeed } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-flagship-'))
let project: ZeroOsProject
test.after(() => {
  project?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Alpine's kernel: compiling one takes longer than all the rest. */
process.env.KERNEL_VERSION = 'lts'
const skip = ['cargo', 'rustc', 'apt-get'].find((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
let first: Build | undefined

test('the flagship builds against the local mirror, and a second build runs nothing', async () => {
  if (skip !== undefined) return console.log(`skip flagship: ${skip} is not there`)
  project = await makeZeroOsProject(folder)
  first = await build(project.config, project.folder, 900)
  assert.ok(first.manifest.outputs.some(({ name }) => name === 'vmlinuz.efi'))
  const aliases = first.manifest.outputs.find(({ name }) => name === 'vmlinuz.efi')!.aliases
  assert.match(aliases.join(), /^vmlinuz-6\.12\.\d+\S*-[0-9a-f]{7}\.efi$/)
  expectRan(await build(project.config, project.folder, 200), [])
})

const consoleText = (): string => {
  const path = join(project.folder, 'dist/zero-os-test/vm/console.log')
  return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\r', '') : ''
}

const until = async (holds: () => boolean, seconds: number): Promise<boolean> => {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    if (holds()) return true
    await new Promise((wake) => setTimeout(wake, 200))
  }
  return false
}

test('it boots to zinit with every unit up, and can be logged in to', async () => {
  if (!first) return
  const run = ['run', '-c', project.config, '--memory', '2048', '--disks', '1', '--timeout', '300', '--json']
  const machine = startZos(run, project.folder, 320)
  const { ssh } = JSON.parse(await machine.firstLine) as { ssh: string[] }
  const isReady = (): boolean =>
    /^zero-os: ready after .* zinit-pid1 is PID 1, \S+ 10\.0\.2\.15\/24$/m.test(consoleText())
  assert.ok(await until(isReady, 290), `not ready:\n${consoleText()}`)
  for (const name of ['rfs', 'mycelium', 'corex']) assert.match(consoleText(), `${name}: stand-in of the test`)

  const ask = async (command: string): Promise<string> =>
    (await succeed(ssh[0]!, [...ssh.slice(1), command], folder, 60)).stdout.trim()
  const units = await ask('zinit list')
  assert.not.match(units, /Error|Failed|Blocked/i, units)
  for (const name of ['udevd', 'dhcpcd', 'sshd', 'redis', 'mycelium', 'corex', 'console'])
    assert.match(units, new RegExp(`\\b${name} +Running\\b`), units)
  assert.is(await ask('redis-cli ping'), 'PONG')
  assert.is(await ask('. /etc/os-release; echo $NAME'), 'Zero-OS')
  assert.is(await ask('cut -d: -f2 /etc/shadow | head -n 1'), '')
  assert.match(await ask('udevadm info -q property -n /dev/vda'), /DEVTYPE=disk/)
  assert.match(await ask('cat /run/zosstorage/state.json'), /"status"/)
  await start(ssh[0]!, [...ssh.slice(1), 'zinit poweroff'], folder, 60).ended
  assert.is((await machine.ended).end, 0)
})

test.run()
