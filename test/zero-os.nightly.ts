// time limit: 9000 s
// The flagship with its own kernel: Debian's sources of Linux 6.12 from a local mirror of kernel.org, compiled with
// config/kernel.config, the initramfs linked in, and booted.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { expectUp } from './zero-os-machine.js'
import { makeZeroOsProject, type ZeroOsProject } from './zero-os-project.js'
import { build, expectRan } from './zos.js'

const archive = '/usr/src/linux-source-6.12.tar.xz'
const says = (file: string, ...args: string[]): string =>
  spawnSync(file, args, { encoding: 'utf8' }).stdout?.trim() ?? ''
const missing = ['cargo', 'rustc', 'apt-get', 'make', 'gcc', 'flex', 'bison'].find(
  (tool) => says('sh', '-c', `command -v ${tool}`) === '',
)
const version = /\t([\d.]+)/.exec(says('dpkg-query', '-W', 'linux-source-6.12'))?.[1]
const skip =
  missing !== undefined
    ? `${missing} is not there`
    : !existsSync(archive) || version === undefined
      ? `${archive} of Debian's package linux-source-6.12 is not there`
      : undefined

const folder = mkdtempSync(join(tmpdir(), 'zos-flagship-'))
let project: ZeroOsProject | undefined
test.after(() => {
  project?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the flagship builds with a kernel of its own, and boots', async () => {
  if (skip !== undefined) return console.log(`skip flagship: ${skip}`)
  process.env.KERNEL_VERSION = version
  project = await makeZeroOsProject(folder, { kernel: { version: version!, archive } })
  const first = await build(project.config, project.folder, 7200)
  const { aliases } = first.manifest.outputs.find(({ name }) => name === 'vmlinuz.efi')!
  assert.match(aliases.join(), new RegExp(`^vmlinuz-${version}-Zero-OS-[0-9a-f]{7}\\.efi$`))
  await expectUp(project, new RegExp(`^${version}-Zero-OS$`))
  expectRan(await build(project.config, project.folder, 300), [])
})

test.run()
