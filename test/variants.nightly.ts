// time limit: 5400 s
// The variants of the flagship, built together from one store against the local mirror and repositories, and the commands
// of its pages. Alpine's kernel is taken for all: compiling one takes longer than all the rest. The mirror has no packages
// for 64-bit ARM, so that this variant fails, and has to stop no other.
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeReader } from './pages.js'
import { makeZeroOsProject, type ZeroOsProject } from './zero-os-project.js'
import { project as checkout, startZos } from './zos.js'

/** Seconds for all of them. */
const limit = 3600
const names = ['alpine-lts', 'arm64', 'debug', 'full', 'minimal', 'release']
const configs = names.map((name) => `variants/${name}.config.ts`)
const env = { KERNEL_VERSION: 'lts' }

const folder = mkdtempSync(join(tmpdir(), 'zos-variants-'))
let project: ZeroOsProject
test.after(() => {
  project?.close()
  rmSync(folder, { recursive: true, force: true })
})

const outputOf = (name: string): string => join(project.folder, 'dist', `zero-os-${name}`, 'vmlinuz.efi')

test('six variants are built at once; the one that fails stops no other and is the exit code', async () => {
  project = await makeZeroOsProject(folder, { isWhole: true })
  const { end, stdout, stderr } = await startZos(['build', ...configs], project.folder, limit, env).ended
  console.log(stdout)
  for (const name of names.filter((one) => one !== 'arm64')) {
    assert.match(
      stdout,
      new RegExp(`^  variants/${name}\\.config\\.ts +built .* vmlinuz\\.efi \\d+\\.\\d MB$`, 'm'),
      stderr,
    )
    assert.ok(existsSync(outputOf(name)), name)
  }
  assert.match(stdout, /^ {2}variants\/arm64\.config\.ts +failed +\S+ s +ALPINE_FETCH$/m)
  assert.match(stdout, /\n5 built, 1 failed\n {2}hint: why: zos build -c variants\/arm64\.config\.ts\n$/)
  assert.is(end, 5)
})

test('a second time nothing runs', async () => {
  const built = configs.filter((one) => !one.includes('arm64'))
  const { end, stdout } = await startZos(['build', ...built], project.folder, limit, env).ended
  assert.is(end, 0, stdout)
  for (const config of built) assert.match(stdout, new RegExp(`^  ${config} +built .* 0 of \\d+ steps run `, 'm'))
})

test('commands of the flagship’s pages', async () => {
  for (const name of ['core', '.zos-toolchain']) symlinkSync(join(checkout, name), join(project.folder, name))
  // A release has to have a way to log in.
  const release = { ...env, ZEROOS_PASSWORDLESS_ROOT: 'true' }
  const stands = { 'scripts/setup.sh': join(checkout, 'scripts/setup.sh') }
  const { runBlocks } = makeReader(folder, { ...process.env, ...release, ZOS_STORE: '' }, stands)
  for (const page of ['docs/zero-os/README.md', 'docs/zero-os/build.md']) {
    const { run, left } = await runBlocks(page, project.folder, (needs) => needs?.startsWith('Alpine’s mirror') ?? true)
    assert.ok(run > 1, page)
    for (const { commands, needs } of left) console.log(`skip ${page}: ${commands} commands need ${needs}`)
  }
})

test.run()
