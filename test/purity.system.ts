// time limit: 1300 s
// Packages, kernel and initramfs of the quickstart, all made again elsewhere and compared; programs that are compiled are left
// to the nightly test.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project, zos } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-purity-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('--verify-cache at 100 % finds nothing', async () => {
  mkdirSync(folder, { recursive: true })
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
  cpSync(join(project, 'config'), join(folder, 'config'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"name":"purity","private":true,"type":"module"}')
  writeFileSync(
    join(folder, 'zos.config.ts'),
    `import { defineConfig } from '@zos/core'
import { debian } from '@zos/debian'
import { kernel } from '@zos/kernel'
const base = debian({ suite: 'bookworm', packages: ['busybox-static', 'kmod'] })
const linux = kernel({
  source: base.tree(['linux-image-6.12-cloud-amd64']),
  modules: 'config/quickstart/modules.conf',
  embed: 'uki',
  stub: base.tree(['systemd-boot-efi']),
  cmdline: 'console=ttyS0',
})
export default defineConfig({ name: 'purity', plugins: [base, linux] })
`,
  )
  await zos(['build'], folder, 500)
  const { stdout } = await zos(['build', '--verify-cache', '--json'], folder, 700)
  const { verified, steps } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
  assert.is(verified.tap, steps.length)
  assert.ok(verified.action + verified.function > 0, JSON.stringify(verified))
})

test.run()
