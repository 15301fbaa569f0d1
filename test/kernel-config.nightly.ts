// time limit: 600 s
// The flagship’s kernel config: Linux 6.12 takes every line of it, on both architectures.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configLines, type KernelConfig, parseKernelConfig } from '../plugins/kernel/dist/kernel-config.js'
import { refusedLines } from '../plugins/kernel/dist/refused.js'
import { project, succeed } from './zos.js'

const archive = '/usr/src/linux-source-6.12.tar.xz'
const skip = !existsSync(archive)
  ? `${archive} of Debian's package linux-source-6.12 is not there`
  : ['make', 'gcc', 'flex', 'bison'].find((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)

const folder = mkdtempSync(join(tmpdir(), 'zos-kernel-config-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
const sources = join(folder, 'linux')

/** What `make defconfig`, the fragments, and `make olddefconfig` come to. */
const configure = async (arch: string, files: readonly string[]): Promise<KernelConfig> => {
  const out = join(folder, arch)
  const make = (target: string) => succeed('make', ['-s', `O=${out}`, `ARCH=${arch}`, target], sources, 120)
  await make('defconfig')
  for (const file of files) appendFileSync(join(out, '.config'), readFileSync(join(project, file)))
  await make('olddefconfig')
  return parseKernelConfig(readFileSync(join(out, '.config'), 'utf8'), `.config of ${arch}`)
}

for (const [name, arch] of [
  ['x86_64', 'x86_64'],
  ['aarch64', 'arm64'],
] as const)
  test(`Linux takes every line for ${name}`, async () => {
    if (skip !== undefined) return console.log(`skip config of ${name}: ${skip}`)
    if (!existsSync(sources)) {
      mkdirSync(sources)
      // What Kconfig reads, and the targets of make for it; not the 80,000 other files.
      const files = ['Makefile', 'Kconfig*', 'scripts/*', 'configs/*', '*.include', 'Kbuild*'].map(
        (name) => `*/${name}`,
      )
      const unpack = ['-xf', archive, '--strip-components=1', '-C', sources, '--wildcards', ...files]
      await succeed('tar', unpack, folder, 300)
    }
    const files = ['config/kernel.config', `config/kernel.${name}.config`]
    const config = await configure(arch, files)
    const lines = files.flatMap((file) =>
      configLines(readFileSync(join(project, file), 'utf8'), file).map(({ symbol, value, line }) => ({
        symbol,
        value,
        by: `${file}:${line}`,
      })),
    )
    assert.ok(lines.length > 80)
    assert.equal(refusedLines(lines, config), [])
    // What a node needs to reach its modules is built in, whatever else is.
    for (const driver of ['SATA_AHCI', 'BLK_DEV_NVME', 'VIRTIO_BLK', 'VIRTIO_NET', 'E1000E', 'R8169', 'BTRFS_FS'])
      assert.is(config.get(`CONFIG_${driver}`), 'y', driver)
  })

test.run()
