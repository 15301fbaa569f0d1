// time limit: 3600 s
// The rest of the matrix of disks in virtual machines, with the quickstart's image.
import { rmSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Case, dirtyDisk, leftAlone, provisionedOnce, tableOf } from './disk-cases.js'
import { boot, folder, makeDisk, shipped, uefi } from './disk-machine.js'
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
  'one disk, sectors of 4096 bytes': {
    asked: 'auto',
    topology: 'single',
    buses: ['virtio'],
    devices: [['/dev/vda3']],
    sector: 4096,
  },
  'two NVMe disks, mirrored, sectors of 4096 bytes, UEFI': {
    asked: 'btrfs_raid1',
    topology: 'btrfs_raid1',
    buses: ['nvme', 'nvme'],
    devices: [['/dev/nvme0n1p2', '/dev/nvme1n1p2']],
    sector: 4096,
    firmware: 'uefi',
  },
  'one disk, UEFI, with fstab': {
    asked: 'single',
    topology: 'single',
    buses: ['virtio'],
    devices: [['/dev/vda2']],
    firmware: 'uefi',
    fstab: true,
  },
}
for (const [title, one] of Object.entries(cases))
  test(`${title}: provisioned, and after a restart already right`, () => provisionedOnce(title, one))

test('the shipped image under UEFI firmware: no partition for BIOS boot loaders', async () => {
  const disk = makeDisk('shipped', 'virtio')
  const start = () => boot('shipped', [...uefi('shipped'), ...shipped()], [disk], 'topology="single"')
  assert.match(await start(), /INFO provisioned topology="single"/)
  const table = await tableOf(disk)
  assert.equal(
    table.map(({ name }) => name),
    ['zosboot', 'zosdata'],
  )
  assert.match(await start(), /INFO already provisioned topology="single"/)
  assert.equal(await tableOf(disk), table)
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

test('SSD and HDD with neither tools nor driver of bcachefs: both are named, and the topology that needs none', () => {
  const disks = (['ssd', 'hdd'] as const).map((bus, index) => makeDisk(`neither-${index}`, bus))
  const words = [/program bcachefs/, /file system bcachefs in this kernel .*ssd_hdd_btrfs needs none/]
  return leftAlone('neither', disks, 'missing', words)
})

test.run()
