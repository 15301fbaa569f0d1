// time limit: 600 s
// The flagship for 64-bit ARM, as far as a lock goes: packages of an aarch64 index, a kernel of kernel.org, and the
// toolchain that compiles for it. Then all that this lock pins, from its own mirror alone. Every package is a stand-in here;
// nothing is compiled.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeStandIns } from './alpine-mirror/made.js'
import { makeZeroOsProject, type ZeroOsProject } from './zero-os-project.js'
import { cli, project, zos } from './zos.js'

const skip = ['cargo', 'rustc'].find((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
const folder = mkdtempSync(join(tmpdir(), 'zos-arm64-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const listed = readFileSync(join(project, 'config/packages.list'), 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '' && !line.startsWith('!'))
const firmware = ['rtl_nic', 'tigon', 'bnx2', 'e100'].map((name) => `linux-firmware-${name}`)

let zeroOs: ZeroOsProject | undefined
test.after(() => zeroOs?.close())

const run = async (...args: string[]): Promise<string> => (await zos(args, zeroOs!.folder, 240)).stdout

test('the arm64 variant is locked and planned from an aarch64 index', async () => {
  if (skip !== undefined) return console.log(`skip arm64: ${skip} is not there`)
  const names = new Set([...listed, ...firmware, 'linux-firmware', 'linux-lts', 'systemd-efistub'])
  const archive = join(folder, 'linux.tar.xz')
  writeFileSync(archive, 'not the sources of Linux')
  zeroOs = await makeZeroOsProject(folder, {
    base: 'variants/arm64.config.ts',
    kernel: { version: '6.12.44', archive },
    repository: await makeStandIns(join(folder, 'mirror'), 'aarch64', names),
  })
  await run('lock', '-c', zeroOs.config)
  const lock = readFileSync(join(zeroOs.folder, zeroOs.config.replace('.config.ts', '.lock')), 'utf8')
  assert.match(lock, 'v3.22/main/aarch64/busybox-1-r0.apk')
  assert.not.match(lock, 'x86_64')
  const plan = await run('plan', '-c', zeroOs.config)
  for (const step of ['kernel/linux', 'rust-musl/zinit', 'alpine/root', 'vmlinuz.efi']) assert.match(plan, step)
})

test('packages, crates, repositories, releases and the kernel come from the mirror of the lock alone', async () => {
  if (!zeroOs) return
  const kept = join(folder, 'kept')
  await run('lock', '-c', zeroOs.config, '--mirror', kept)
  zeroOs.close()
  for (const name of ['mirror', 'upstream', 'kernel']) rmSync(join(folder, name), { recursive: true })
  // An empty store: everything is fetched again. What would then compile is ended at once.
  const words = ['build', '-c', zeroOs.config, '--json', '--frozen', '--offline', '--mirror', kept]
  const env = { ...process.env, ZOS_STORE: join(folder, 'empty') }
  const child = spawn(process.execPath, [cli, ...words], {
    cwd: zeroOs.folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let [fetched, output] = ['', '']
  for await (const line of createInterface(child.stdout)) {
    output += `${line}\n`
    const event = JSON.parse(line) as { event: string; phase?: string; summary?: string }
    if (event.event !== 'phase' || event.phase !== 'fetch') continue
    fetched = event.summary ?? ''
    child.kill('SIGINT')
  }
  const [, inputs, fresh] = /^(\d+) inputs, (\d+) new$/.exec(fetched) ?? []
  // The project's own crate and this machine's Rust are the two that no mirror has.
  assert.ok(Number(inputs) > 60 && Number(inputs) - Number(fresh) === 2, fetched || output.slice(-3000))
})

test.run()
