// time limit: 300 s
// The flagship for 64-bit ARM, as far as a lock goes: packages of an aarch64 index, a kernel of kernel.org, and the
// toolchain that compiles for it. Every package of this mirror is a stand-in; nothing is compiled.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeStandIns } from './alpine-mirror/made.js'
import { makeZeroOsProject } from './zero-os-project.js'
import { project, startZos } from './zos.js'

const skip = ['cargo', 'rustc'].find((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
const folder = mkdtempSync(join(tmpdir(), 'zos-arm64-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const listed = readFileSync(join(project, 'config/packages.list'), 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '' && !line.startsWith('!'))
const firmware = ['rtl_nic', 'tigon', 'bnx2', 'e100'].map((name) => `linux-firmware-${name}`)

test('the arm64 variant is locked and planned from an aarch64 index', async () => {
  if (skip !== undefined) return console.log(`skip arm64: ${skip} is not there`)
  const names = new Set([...listed, ...firmware, 'linux-firmware', 'linux-lts', 'systemd-efistub'])
  const archive = join(folder, 'linux.tar.xz')
  writeFileSync(archive, 'not the sources of Linux')
  const zeroOs = await makeZeroOsProject(folder, {
    base: 'variants/arm64.config.ts',
    kernel: { version: '6.12.44', archive },
    repository: await makeStandIns(join(folder, 'mirror'), 'aarch64', names),
  })
  try {
    const zos = async (...args: string[]): Promise<string> => {
      const { end, stdout, stderr } = await startZos(args, zeroOs.folder, 240).ended
      assert.is(end, 0, stdout + stderr)
      return stdout
    }
    await zos('lock', '-c', zeroOs.config)
    const lock = readFileSync(join(zeroOs.folder, zeroOs.config.replace('.config.ts', '.lock')), 'utf8')
    assert.match(lock, 'v3.22/main/aarch64/busybox-1-r0.apk')
    assert.not.match(lock, 'x86_64')
    const plan = await zos('plan', '-c', zeroOs.config)
    for (const step of ['kernel/linux', 'rust-musl/zinit', 'alpine/root', 'vmlinuz.efi']) assert.match(plan, step)
  } finally {
    zeroOs.close()
  }
})

test.run()
