// Power lost at any write: runs whose writes are kept in their order, the disk as it was after some of them, and what
// the next run makes of it.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type TablePartition, tableOf } from './disk-cases.js'
import { bios, boot, diskSize, folder, initramfsOf, makeDisk } from './disk-machine.js'
import { expectAlreadyRight, type Report, reportOf, section } from './disk-report.js'
import { contentOf, readLog, replay, type Write } from './write-log.js'

/** Everything that came to an empty disk, and the number of writes after which something new begins. */
export interface Recorded {
  readonly writes: readonly Write[]
  /** mkfs of the EFI system partition; mkfs of the data partition; the mounts; the start after a restart, if there is one. */
  readonly borders: Readonly<Record<'boot' | 'data' | 'mounts' | 'again', number>>
}

const magic = Buffer.from('_BHRfS_M')
/** Of the first superblock's magic in a btrfs, in bytes. mkfs writes it last. */
const magicOffset = 0x10040

/** Provisions an empty disk; by `restarts`, starts the machine again. */
export const record = async (restarts: boolean): Promise<Recorded> => {
  const initramfs = await initramfsOf('record', 'version: 1\ntopology: single\n')
  const logs = restarts ? ['first', 'second'] : ['first']
  const disk = makeDisk('recorded', 'ssd')
  const parts: Write[][] = []
  for (const name of logs) {
    const log = join(folder, `${name}.writes`)
    const report = reportOf(await boot('record', bios(initramfs), [{ ...disk, log }]), 'report')
    if (name === 'second') expectAlreadyRight(report, /^mount/)
    else assert.is(report.status, 'provisioned', JSON.stringify(report.error))
    parts.push(readLog(log))
  }
  const writes = parts.flat()
  const [esp, data] = (await tableOf(disk)).slice(-2) as [TablePartition, TablePartition]
  rmSync(disk.path)
  const at = data.start + magicOffset
  const isMade = (write: Write) =>
    write.offset <= at &&
    at + magic.length <= write.offset + write.length &&
    contentOf(write)
      .subarray(at - write.offset)
      .subarray(0, magic.length)
      .equals(magic)
  const first = ({ start, length }: TablePartition) =>
    writes.findIndex((write) => write.length > 0 && write.offset >= start && write.offset < start + length)
  const borders = { boot: first(esp), data: first(data), mounts: writes.findIndex(isMade) + 1, again: parts[0]!.length }
  const sorted = Object.values(borders).sort((one, other) => one - other)
  assert.ok(borders.boot > 0 && new Set(sorted).size === sorted.length, JSON.stringify(borders))
  assert.equal(Object.values(borders), sorted)
  return { writes, borders }
}

/** A moment at which power is lost. */
export interface Cut {
  /** Writes that came to the disk. */
  readonly after: number
  /** Whether one of them was in the disk's cache alone; asked of those behind the last flush. */
  readonly isLost?: (index: number) => boolean
}

/** What the next run made of a disk. */
export interface Next extends Cut {
  readonly report: Report
  /** Its words on standard error. */
  readonly words: string
  /** The data file system has the file that was written behind the first run. */
  readonly kept: boolean
  /** `fsck.vfat` finds nothing wrong with the EFI system partition. */
  readonly isBootSound: boolean
  /** Not a byte was written. */
  readonly untouched: boolean
}

/** Runs the program on each disk, one after the other, as if it were the only one. */
const script = (count: number) => `
while [ "$(ls /sys/block | grep -c '^sd')" -lt ${count} ]; do sleep 0.1; done
for disk in $(ls /sys/block | grep '^sd'); do
  printf 'version: 1\\ntopology: single\\ndisks: [/dev/%s]\\n' $disk >/etc/zosstorage/case.yaml
  /usr/bin/zosstorage --report /run/cut.json >/run/cut.words 2>&1
  serial=$(sed -n 's/.*"serial": "\\(.*\\)".*/\\1/p' /run/cut.json)
  echo "== report of $serial"; cat /run/cut.json
  echo "== words of $serial"; cat /run/cut.words
  echo "== state of $serial"
  grep -qx kept /var/cache/system/kept 2>/dev/null && echo "kept it"
  fsck.vfat -n /dev/\${disk}2 >/dev/null 2>&1 && echo "boot is sound"
  for target in $(grep -oE ' /var/(mounts|cache)/[^ ]*' /proc/mounts | sort -r); do umount $target; done
  btrfs device scan --forget
done
`

/** The next run of each cut, all in one machine. */
export const nextRuns = async (writes: readonly Write[], cuts: readonly Cut[]): Promise<Next[]> => {
  const disks = cuts.map(({ after, isLost }, index) => {
    const disk = makeDisk(`cut-${index}`, 'ssd', { log: join(folder, `cut-${index}.writes`) })
    const safe = writes.slice(0, after).findLastIndex(({ flush }) => flush) + 1
    const there = writes.slice(0, after).filter((_, write) => write < safe || isLost?.(write) !== true)
    replay(there, disk.path, diskSize)
    return disk
  })
  const nowhere = 'version: 1\ntopology: single\ndisks: [/dev/nowhere]\n'
  const console = await boot('cut', bios(await initramfsOf('cut', nowhere, { script: script(disks.length) })), disks)
  const seen = cuts.map((cut, index) => {
    const state = section(console, `state of disk${index}`)
    return {
      ...cut,
      report: reportOf(console, `report of disk${index}`),
      words: section(console, `words of disk${index}`),
      kept: state.includes('kept it'),
      isBootSound: state.includes('boot is sound'),
      untouched: readLog(disks[index]!.log!).every(({ length, flush }) => length === 0 && flush),
    }
  })
  for (const { path } of disks) rmSync(path)
  return seen
}

/** The next run has completed the work; or it has refused, said what to do, and changed nothing. */
export const expectUnderstood = ({ after, report, words, isBootSound, untouched }: Next): void => {
  const where = `after ${after} writes: ${JSON.stringify(report.error)}`
  if (report.error === null) {
    assert.ok(isBootSound, `${where}: the EFI system partition is damaged`)
    return
  }
  assert.match(report.error.class, /^(not_empty|partial)$/, where)
  assert.match(report.error.message, /nothing was changed/, where)
  assert.match(words, /^hint: .*erase/m, where)
  assert.ok(untouched, `${where}: the disk was written`)
}
