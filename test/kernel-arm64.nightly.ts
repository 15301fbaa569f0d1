// time limit: 5400 s
// A kernel for 64-bit ARM from Debian's sources: cross-compiled, linked with the initramfs in it, started in QEMU; and
// linked again after a change of the initramfs alone.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findTool } from '../core/dist/exec/identity.js'
import { build, outputOf, project, ranIn, zos } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-arm64-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const fragment = `CONFIG_PRINTK=y
CONFIG_BLK_DEV_INITRD=y
CONFIG_RD_XZ=y
CONFIG_BINFMT_ELF=y
CONFIG_BINFMT_SCRIPT=y
CONFIG_MULTIUSER=y
CONFIG_FUTEX=y
CONFIG_PROC_FS=y
CONFIG_SYSFS=y
CONFIG_DEVTMPFS=y
CONFIG_TTY=y
CONFIG_SERIAL_AMBA_PL011=y
CONFIG_SERIAL_AMBA_PL011_CONSOLE=y
CONFIG_EFI=y
CONFIG_MODULES=y
CONFIG_NET=y
CONFIG_PACKET=m
`

const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/console
/sbin/modprobe af_packet
echo "arm64: $(/bin/busybox uname -rm) $(/bin/busybox cut -d' ' -f1 /proc/modules)"
/bin/busybox poweroff -f
`

const config = `import { defineConfig, definePlugin } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'
import * as v from 'valibot'

const base = debian({ suite: 'bookworm', packages: ['busybox-static', 'kmod'] })
const init = definePlugin()({
  name: 'init',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({}),
  apply(hooks) {
    hooks.assemble.tap('init', async (tree, ctx) =>
      tree.delta().file('/init', await ctx.project.text('init'), { mode: 0o755 }))
  },
})
export default defineConfig({
  name: 'arm64',
  arch: 'aarch64',
  plugins: [
    base,
    init(),
    kernel({
      source: base.tree(['linux-source-6.12']),
      config: { base: 'tinyconfig', fragments: ['arm64.config'] },
      modules: { stage1: ['af_packet'] },
      embed: 'builtin',
      cmdline: 'console=ttyAMA0 panic=10',
    }),
  ],
})
`

const missing = ['aarch64-linux-gnu-gcc', 'qemu-system-aarch64'].filter(
  (tool) => !findTool(tool, process.env.PATH ?? ''),
)

if (missing.length > 0)
  console.log(`skip arm64: no ${missing.join(', ')} (apt-get install gcc-aarch64-linux-gnu qemu-system-arm)`)
else {
  writeFileSync(join(folder, 'package.json'), '{"name":"arm64","private":true,"type":"module"}')
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'arm64.config'), fragment)
  writeFileSync(join(folder, 'init'), init)
  writeFileSync(join(folder, 'zos.config.ts'), config)

  /** Starts the image, which ends by itself; gives the line that its first process writes. */
  const saidByInit = async (): Promise<string> => {
    await zos(['run', '--timeout', '240'], folder, 250)
    const text = readFileSync(join(folder, 'dist/vm/console.log'), 'utf8')
    return /^arm64: .*$/m.exec(text.replaceAll('\r', ''))?.[0] ?? text
  }

  test('a kernel is cross-compiled, and starts with its initramfs and a module in it', async () => {
    const built = await build('zos.config.ts', folder, 3000)
    const { facts } = outputOf(built, 'builtin')
    assert.is(await saidByInit(), `arm64: ${facts?.release} aarch64 af_packet`)
  })

  test('another initramfs is linked in, and nothing compiled', async () => {
    writeFileSync(join(folder, 'init'), init.replace('arm64: ', 'arm64: again '))
    const built = await build('zos.config.ts', folder, 300)
    assert.not.ok(ranIn(built).includes('build kernel/linux'))
    assert.match(await saidByInit(), /^arm64: again /)
  })
}

test.run()
