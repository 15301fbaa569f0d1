// time limit: 2400 s
// The flagship config, unchanged, built against a mirror of Debian's packages in Alpine's format and local repositories, and
// booted. Real: the Alpine side, zinit (not optimized here), zosstorage, sshd, redis, udev. Stand-ins, which say so on the
// console: rfs, mycelium, corex.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { expectUp } from './zero-os-machine.js'
import { makeZeroOsProject, type ZeroOsProject } from './zero-os-project.js'
import { type Build, build, expectRan } from './zos.js'

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
  project = await makeZeroOsProject(folder, { isQuick: true })
  first = await build(project.config, project.folder, 1500)
  assert.ok(first.manifest.outputs.some(({ name }) => name === 'vmlinuz.efi'))
  const aliases = first.manifest.outputs.find(({ name }) => name === 'vmlinuz.efi')!.aliases
  assert.match(aliases.join(), /^vmlinuz-6\.12\.\d+\S*-[0-9a-f]{7}\.efi$/)
  expectRan(await build(project.config, project.folder, 200), [])
})

test('it boots to zinit with every unit up, and can be logged in to', async () => {
  if (first) await expectUp(project, /^6\.12\.\d+\S*$/)
})

test.run()
