// time limit: 1500 s
// Disks of a first boot with the quickstart's image: one that is empty, and one that is not. More: zosstorage.nightly.ts.
import { rmSync } from 'node:fs'
import { test } from 'uvu'
import { dirtyDisk, leftAlone, provisionedOnce } from './disk-cases.js'
import { folder, makeDisk } from './disk-machine.js'
import { build, project } from './zos.js'

/** Seconds: a build that compiles everything. */
const limit = 900
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('the image', async () => {
  await build('variants/quickstart.config.ts', project, limit)
})

test('one empty disk: provisioned, and after a restart already right', () =>
  provisionedOnce('one', { asked: 'auto', topology: 'single', buses: ['virtio'], devices: [['/dev/vda3']] }))

test('a disk with a file system beside an empty one: neither is written, and the machine comes up', async () => {
  const disks = [await dirtyDisk('filesystem', 'virtio', 'mkfs.vfat -F 32 "$1"'), makeDisk('empty', 'virtio')]
  const words = [/ERROR .*nothing was changed, since not every disk is empty/, /\/dev\/vda \(4 GiB.*vfat/]
  await leftAlone('dirty', disks, 'not_empty', words)
})

test.run()
