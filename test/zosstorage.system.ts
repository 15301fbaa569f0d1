// time limit: 1500 s
// Disks of a first boot with the quickstart's image: one that is empty, one that is not, and power lost in the middle.
// More: zosstorage.nightly.ts, zosstorage-power.nightly.ts.
import { rmSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dirtyDisk, leftAlone, provisionedOnce } from './disk-cases.js'
import { folder, makeDisk } from './disk-machine.js'
import { expectUnderstood, nextRuns, record } from './disk-power.js'
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

test('power lost in the middle: the next run refuses and says what to do, or completes; a rerun writes nothing', async () => {
  const { writes, borders } = await record(false)
  const { boot, data, mounts, again } = borders
  const counts = [0, 1, 4, boot, boot + 1, data, mounts - 1, mounts, again]
  const seen = await nextRuns(
    writes,
    counts.map((after) => ({ after })),
  )
  for (const next of seen) expectUnderstood(next)
  const refused = ['not_empty', ...Array.from({ length: 5 }, () => 'partial')]
  assert.equal(
    seen.map(({ report }) => report.error?.class ?? report.status),
    ['provisioned', ...refused, 'already_provisioned', 'already_provisioned'],
  )
  const last = seen.at(-1)!
  assert.ok(last.kept && last.untouched, JSON.stringify(last.report.steps))
})

test.run()
