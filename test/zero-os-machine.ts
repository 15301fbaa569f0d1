// The flagship of a project of `zero-os-project.ts`, booted, looked at from inside and powered off.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { ZeroOsProject } from './zero-os-project.js'
import { start, startZos, succeed } from './zos.js'

const until = async (holds: () => boolean, seconds: number): Promise<boolean> => {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    if (holds()) return true
    await new Promise((wake) => setTimeout(wake, 200))
  }
  return false
}

/** Boots the last build: every unit is up, root can log in, services answer. `release`: what `uname -r` has to say. */
export const expectUp = async ({ folder, config }: ZeroOsProject, release: RegExp): Promise<void> => {
  const consoleText = (): string => {
    const path = join(folder, 'dist/zero-os-test/vm/console.log')
    return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\r', '') : ''
  }
  const run = ['run', '-c', config, '--memory', '2048', '--disks', '1', '--timeout', '600', '--json']
  const machine = startZos(run, folder, 620)
  const { ssh } = JSON.parse(await machine.firstLine) as { ssh: string[] }
  const isReady = (): boolean =>
    /^zero-os: ready after .* zinit-pid1 is PID 1, \S+ 10\.0\.2\.15\/24$/m.test(consoleText())
  assert.ok(await until(isReady, 590), `not ready:\n${consoleText()}`)
  for (const name of ['rfs', 'mycelium', 'corex']) assert.match(consoleText(), `${name}: stand-in of the test`)

  const ask = async (command: string): Promise<string> =>
    (await succeed(ssh[0]!, [...ssh.slice(1), command], folder, 60)).stdout.trim()
  assert.match(await ask('uname -r'), release)
  const units = await ask('zinit list')
  assert.not.match(units, /Error|Failed|Blocked/i, units)
  for (const name of ['udevd', 'dhcpcd', 'sshd', 'redis', 'mycelium', 'corex', 'console'])
    assert.match(units, new RegExp(`\\b${name} +Running\\b`), units)
  assert.is(await ask('redis-cli ping'), 'PONG')
  assert.is(await ask('. /etc/os-release; echo $NAME'), 'Zero-OS')
  assert.is(await ask('cut -d: -f2 /etc/shadow | head -n 1'), '')
  assert.match(await ask('udevadm info -q property -n /dev/vda'), /DEVTYPE=disk/)
  assert.match(await ask('cat /run/zosstorage/state.json'), /"status"/)
  // firmware.conf alone says which files of the packages are there.
  assert.equal((await ask('cd /lib/firmware/rtl_nic && ls')).split('\n'), ['rtl8168h-2.fw'])
  await start(ssh[0]!, [...ssh.slice(1), 'zinit poweroff'], folder, 60).ended
  assert.is((await machine.ended).end, 0)
}
