// A layout that cannot be ends `zos build` before anything is done, with the path of the option.
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project, startZos } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-layouts-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))
symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{"type":"module"}')

/** Options as a config has them, and what is said of them. */
const layouts: readonly (readonly [options: string, problem: string])[] = [
  [`topology: 'raid5'`, 'topology: '],
  [`topology: 'btrfs_raid1', disks: ['/dev/vda']`, 'disks: expected 2 devices, which is what btrfs_raid1 takes'],
  [`topology: 'btrfs_raid1', disks: ['/dev/vda', '/dev/vda']`, 'disks: expected each device once'],
  [`topology: 'single', filesystems: { btrfs: { data_profile: 'raid1' } }`, 'filesystems.btrfs.data_profile: '],
  [`topology: 'single', filesystems: { bcachefs: {} }`, 'filesystems.bcachefs: '],
  [`partitions: { esp_size: '1MiB' }`, 'partitions.esp_size: expected 260MiB to 16GiB'],
  [`filesystems: { btrfs: { mkfs_args: ['-f'] } }`, 'filesystems.btrfs.mkfs_args: '],
  [`partition: {}`, 'partition: '],
]
for (const [index, [options, problem]] of layouts.entries())
  test(`zosstorage({ ${options} })`, async () => {
    const name = `layout-${index}.config.ts`
    writeFileSync(
      join(folder, name),
      `import { defineConfig, ref } from '@zos/core'
import { zosstorage } from '@zos/zosstorage'
const options: any = { ${options} }
export default defineConfig({
  name: 'layout',
  plugins: [zosstorage({ program: ref('rust-musl', 'zosstorage'), ...options })],
})
`,
    )
    const { end, stderr } = await startZos(['build', '-c', name], folder, 60).ended
    assert.is(end, 3, stderr)
    assert.match(stderr, 'error CONFIG_INVALID')
    assert.ok(stderr.includes(`  plugins.zosstorage.${problem}`), stderr)
    assert.not.ok(existsSync(join(folder, 'dist')))
  })

test.run()
