// time limit: 5400 s
// A small kernel compiled twice, each from an empty store, in the same toolchain of Debian packages: by bubblewrap and in
// containers. The bytes are equal.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { engineEnvironment } from './container-engines.js'
import { project, startZos } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-containers-nightly-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

writeFileSync(join(folder, 'package.json'), '{"name":"containers","private":true,"type":"module"}')
symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'small.config'), 'CONFIG_64BIT=y\nCONFIG_PRINTK=y\nCONFIG_KERNEL_GZIP=y\n')
writeFileSync(
  join(folder, 'zos.config.ts'),
  `import { defineConfig } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'

const tools = debian.as('tools', {
  suite: 'bookworm',
  packages: ['bc', 'binutils', 'bison', 'flex', 'gcc', 'kmod', 'libc6-dev', 'libelf-dev', 'make', 'patch', 'perl', 'xz-utils', 'zstd'],
  essential: true, arch: 'x86_64', image: false,
})
const linux = kernel({
  source: tools.tree(['linux-source-6.12']), config: { base: 'tinyconfig', fragments: ['small.config'] }, modules: {}, embed: 'none',
})
export default defineConfig({ name: 'containers', plugins: [tools, linux], toolchain: tools.root })
`,
)

const kernelBy = async (executor: string, env: Readonly<Record<string, string>>): Promise<Buffer> => {
  const store = join(folder, executor)
  const args = ['build', '--executor', executor, 'vmlinuz']
  const { end, stdout, stderr } = await startZos(args, folder, 2500, { ...env, ZOS_STORE: store }).ended
  assert.is(end, 0, stdout.slice(-4000) + stderr)
  const image = readFileSync(join(folder, 'dist/vmlinuz'))
  rmSync(store, { recursive: true, force: true })
  rmSync(join(folder, 'dist'), { recursive: true })
  return image
}

const engines = (['podman', 'docker'] as const).map((engine) => ({ engine, ...engineEnvironment(engine, folder) }))
const found = engines.find((one) => 'env' in one)

if (found && 'env' in found)
  test(`a kernel compiled by bubblewrap and in containers of ${found.engine} has equal bytes`, async () => {
    const sandboxed = await kernelBy('bubblewrap', {})
    assert.ok(sandboxed.equals(await kernelBy(found.engine, found.env)))
  })
else {
  const reasons = engines.map((one) => `${one.engine}: ${'reason' in one ? one.reason : ''}`)
  console.log(`skip a kernel compiled by bubblewrap and in containers: ${reasons.join('; ')}`)
}

test.run()
