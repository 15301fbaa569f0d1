// time limit: 2700 s
// The rest of the matrix of disks in virtual machines, with the quickstart's image.
import { rmSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Case, dirtyDisk, leftAlone, namesOn, provisionedOnce } from './disk-cases.js'
import { boot, folder, makeDisk, uefi } from './disk-machine.js'
import { build, project } from './zos.js'

/** Seconds: a build that compiles everything. */
const limit = 900
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('the image', async () => {
  await build('variants/quickstart.config.ts', project, limit)
})

const cases: Record<string, Case> = {
  'two disks, a file system on each': {
    asked: 'auto',
    topology: 'dual_independent',
    buses: ['virtio', 'virtio'],
    devices: [['/dev/vda3'], ['/dev/vdb3']],
  },
  'two disks, mirrored': {
    asked: 'btrfs_raid1',
    topology: 'btrfs_raid1',
    buses: ['virtio', 'virtio'],
    devices: [['/dev/vda3', '/dev/vdb3']],
  },
  'two NVMe disks': {
    asked: 'dual_independent',
    topology: 'dual_independent',
    buses: ['nvme', 'nvme'],
    devices: [['/dev/nvme0n1p3'], ['/dev/nvme1n1p3']],
  },
  'an HDD and an SSD': {
    asked: 'ssd_hdd_btrfs',
    topology: 'ssd_hdd_btrfs',
    buses: ['hdd', 'ssd'],
    devices: [['/dev/sdb3'], ['/dev/sda3']],
  },
}
for (const [title, one] of Object.entries(cases))
  test(`${title}: provisioned, and after a restart already right`, () => provisionedOnce(title, one))

test('under UEFI firmware there is no partition for BIOS boot loaders', async () => {
  const disk = makeDisk('uefi', 'virtio')
  const first = await boot('uefi', uefi('uefi'), [disk], 'topology="single"')
  assert.match(first, /INFO provisioned topology="single"/)
  assert.equal(await namesOn(disk), ['zosboot', 'zosdata'])
  const second = await boot('uefi', uefi('uefi'), [disk], 'topology="single"')
  assert.match(second, /INFO already provisioned topology="single"/)
  rmSync(disk.path)
})

test('disks with a file system, a table and only its backup stay as they are, and the machine comes up', async () => {
  const disks = [
    await dirtyDisk('filesystem', 'virtio', 'mkfs.vfat -F 32 "$1"'),
    await dirtyDisk('table', 'virtio', 'echo ",1G" | sfdisk -q --label gpt "$1"'),
    await dirtyDisk(
      'backup',
      'virtio',
      'echo ",1G" | sfdisk -q --label gpt "$1" && dd if=/dev/zero of="$1" bs=1M count=1 conv=notrunc',
    ),
    makeDisk('empty', 'virtio'),
  ]
  const found = [/\/dev\/vda \(4 GiB.*vfat/, /\/dev\/vdb \(4 GiB.*gpt/, /\/dev\/vdc \(4 GiB.*gpt/]
  await leftAlone('dirty', disks, 'not_empty', [/ERROR .*nothing was changed, since not every disk is empty/, ...found])
})

test('bcachefs without its tools is refused before any change', () => {
  const disks = (['ssd', 'hdd', 'hdd'] as const).map((bus, index) => makeDisk(`bcachefs-${index}`, bus))
  return leftAlone('bcachefs', disks, 'missing', [/program bcachefs \(package bcachefs-tools\)/])
})

test.run()
