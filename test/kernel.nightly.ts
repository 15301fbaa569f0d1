// time limit: 7200 s
// A compiled kernel twice, each from an empty store, in another folder, time zone and number of jobs: equal bytes. One of
// the two is linked again after a change, the other begins with it: what a relink gives is what a cold build gives. And a
// module that is not in the kernel's sources, compiled against its headers and loaded.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Build, outputOf, project, start, zos } from './zos.js'

const config = 'variants/quickstart-builtin.config.ts'
const limit = 3000
const folder = mkdtempSync(join(tmpdir(), 'zos-kernel-nightly-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const copyOf = (name: string): string => {
  const copy = join(folder, name)
  mkdirSync(join(copy, 'config'), { recursive: true })
  for (const path of [
    'package.json',
    'config/quickstart',
    'variants',
    'plugins/zosstorage/crate',
    'examples/kernel-module',
  ])
    cpSync(join(project, path), join(copy, path), { recursive: true, filter: (from) => !from.endsWith('/target') })
  rmSync(join(copy, 'variants/quickstart-builtin.lock'), { force: true })
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

const cli = join(project, 'core/dist/cli/main.js')
const build = async (copy: string, file: string, jobs: number, env: Record<string, string>): Promise<Build> => {
  const args = [cli, 'build', '-c', file, '--json', '--jobs', String(jobs)]
  const { end, stdout, stderr } = await start(process.execPath, args, copy, limit, env).ended
  assert.is(end, 0, stdout.slice(-4000) + stderr)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Build
}

const sums = ({ manifest }: Build): string[] => manifest.outputs.map(({ name, sha256 }) => `${sha256} ${name}`)

const changeUnit = (copy: string): void => {
  const unit = join(copy, 'config/quickstart/zinit/sshd.yaml')
  const text = readFileSync(unit, 'utf8')
  assert.match(text, 'dropbear -F')
  writeFileSync(unit, text.replace('dropbear -F', 'dropbear -T 3 -F'))
}

test('two cold builds have equal bytes, and a relink gives those of a cold build', async () => {
  const [one, other] = [copyOf('one'), copyOf('another place')]
  await build(one, config, 2, { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' })
  changeUnit(one)
  const relinked = await build(one, config, 2, { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' })
  cpSync(join(one, 'variants/quickstart-builtin.lock'), join(other, 'variants/quickstart-builtin.lock'))
  changeUnit(other)
  const cold = await build(other, config, 1, { TZ: 'America/St_Johns', LC_ALL: 'C.UTF-8' })
  assert.equal(sums(relinked), sums(cold))
  assert.ok(outputOf(cold, 'builtin').size > 0)
})

test('firmware starts it as a program (zos run --efi)', async () => {
  await zos(['run', '-c', config, '--efi', '--expect', 'zos: ready', '--timeout', '240'], join(folder, 'one'), 250)
})

test('an error in the kernel’s sources is the compiler’s own line', async () => {
  const copy = join(folder, 'one')
  const line = '#error "an error of this test"'
  const first = '// SPDX-License-Identifier: GPL-2.0'
  const patch = `--- a/kernel/bounds.c\n+++ b/kernel/bounds.c\n@@ -1 +1,2 @@\n+${line}\n ${first}\n`
  writeFileSync(join(copy, 'error.patch'), patch)
  writeFileSync(
    join(copy, 'error.config.ts'),
    `import builtin from './variants/quickstart-builtin.config.ts'
export default builtin.variant({ name: 'error', plugins: { kernel: { patches: ['error.patch'] } } })
`,
  )
  const { end, stdout, stderr } = await start(process.execPath, [cli, 'build', '-c', 'error.config.ts'], copy, limit)
    .ended
  assert.is.not(end, 0)
  assert.match(
    stdout + stderr,
    /error KERNEL_COMPILE [\s\S]*kernel\/bounds\.c:1:2: error: #error "an error of this test"/,
  )
})

test('a compiler that is too old for the sources is named in their own words', async () => {
  const copy = join(folder, 'one')
  const patch = `--- a/scripts/min-tool-version.sh
+++ b/scripts/min-tool-version.sh
@@ -1,2 +1,3 @@
 #!/bin/sh
+[ "$1" != gcc ] || { echo 99.1.0; exit; }
 # SPDX-License-Identifier: GPL-2.0-only
`
  writeFileSync(join(copy, 'newer.patch'), patch)
  writeFileSync(
    join(copy, 'newer.config.ts'),
    `import builtin from './variants/quickstart-builtin.config.ts'
export default builtin.variant({ name: 'newer', plugins: { kernel: { patches: ['newer.patch'] } } })
`,
  )
  const args = [cli, 'build', '-c', 'newer.config.ts']
  const { end, stdout, stderr } = await start(process.execPath, args, copy, limit).ended
  assert.is.not(end, 0)
  assert.match(stdout + stderr, /error KERNEL_CONFIGURE [\s\S]*Minimum GCC version:\s+99\.1\.0/)
})

test('a module of one’s own is compiled against the kernel’s headers, and loaded', async () => {
  const copy = copyOf('hello')
  symlinkSync(join(folder, 'one/.zos'), join(copy, '.zos'))
  const base = join(copy, 'variants/quickstart.config.ts')
  const module = "helloModule({ kernel: linux.kernel, sources: 'examples/kernel-module/src' })"
  const [before, after] = readFileSync(base, 'utf8').split('    published,\n')
  assert.ok(after, 'the list of plugins is another one')
  const line = "import { helloModule } from '../examples/kernel-module/hello-module.ts'\n"
  writeFileSync(base, `${line}${before}    published,\n    ${module},\n${after}`)
  // What a module prints is no warning: a quiet console would not show it.
  const builtin = readFileSync(join(copy, config), 'utf8')
  assert.match(builtin, ' quiet')
  writeFileSync(join(copy, config), builtin.replace(' quiet', ''))
  const built = await build(copy, config, 2, {})
  assert.ok(outputOf(built, 'builtin').size > 0)
  await zos(['run', '-c', config, '--expect', 'hello: loaded', '--timeout', '120'], copy, 150)
})

test.run()
