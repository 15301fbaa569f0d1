// What is expected of disks after zosstorage has seen them: provisioned once and then left as they are, or never written.
import { createHash } from 'node:crypto'
import { createReadStream, rmSync, statSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { type Bus, bios, boot, type Disk, folder, initramfsOf, makeDisk, uefi } from './disk-machine.js'
import { expectAlreadyRight, identities, type Report, reportOf, section } from './disk-report.js'
import { succeed } from './zos.js'

/** Seconds. */
const limit = 60

export interface TablePartition {
  /** Bytes. */
  readonly start: number
  readonly length: number
  readonly name: string
  readonly guid: string
}

/** Partitions as fdisk sees them, in order. */
export const tableOf = async ({ path, sector = 512 }: Disk): Promise<TablePartition[]> => {
  const args = ['-b', `${sector}`, '-l', '-o', 'start,sectors,uuid,name', path]
  const { stdout } = await succeed('fdisk', args, folder, limit)
  return [...stdout.matchAll(/^ *(\d+) +(\d+) +([-\dA-F]{36}) +(.+)$/gm)].map(([, start, sectors, guid, name]) => ({
    start: Number(start) * sector,
    length: Number(sectors) * sector,
    guid: guid!.toLowerCase(),
    name: name!,
  }))
}

/** SHA-256 of all bytes but those of the data partition, the last one: a mounted file system moves by itself. */
const fixedDigest = async (disk: Disk): Promise<string> => {
  const data = (await tableOf(disk)).at(-1)!
  const hash = createHash('sha256')
  for (const [start, end] of [
    [0, data.start],
    [data.start + data.length, statSync(disk.path).size],
  ])
    for await (const chunk of createReadStream(disk.path, { start, end: end! - 1 })) hash.update(chunk)
  return hash.digest('hex')
}

export interface Case {
  /** As the configuration has it. */
  readonly asked: string
  readonly topology: string
  readonly buses: readonly Bus[]
  /** Devices of each data file system, the primary first. */
  readonly devices: readonly (readonly string[])[]
  /** Default: `bios`. */
  readonly firmware?: 'bios' | 'uefi'
  /** Bytes of a sector of all disks. Default: 512. */
  readonly sector?: 512 | 4096
  /** The subvolumes are to be in /etc/fstab too. */
  readonly fstab?: boolean
  /** Archive whose files the machine has too. */
  readonly with?: string
}

/** The mounts of each data file system, and of the primary's subvolumes. */
const expectMounts = (mounts: string, report: Report): void => {
  const data = report.filesystems.filter(({ label }) => label === 'ZOSDATA')
  for (const { uuid, kind } of data) {
    const whole = kind === 'btrfs' ? 'btrfs .*subvolid=5' : 'bcachefs '
    assert.match(mounts, new RegExp(` /var/mounts/${uuid} ${whole}`))
  }
  const { devices, kind } = data.find(({ primary }) => primary)!
  const source = kind === 'btrfs' ? `(${devices.join('|')})` : devices.join(':')
  for (const part of ['system', 'etc', 'modules', 'vm-meta']) {
    const subvolume = kind === 'btrfs' ? `.*subvol=/${part}` : ''
    assert.match(mounts, new RegExp(`^${source} /var/cache/${part} ${kind} .*noatime${subvolume}`, 'm'))
  }
}

/** Those four entries, in that order. */
const expectFstab = (text: string, { filesystems }: Report): void => {
  const { uuid } = filesystems.find(({ primary }) => primary)!
  const parts = ['system', 'etc', 'modules', 'vm-meta']
  const entries = parts.map((part) => `UUID=${uuid} /var/cache/${part} btrfs subvol=${part},noatime 0 0`)
  assert.equal(text.match(/^UUID=.*$/gm), entries)
}

/** Names, GUIDs and sectors are as the report has them. */
const expectTables = async (disks: readonly Disk[], { disks: reported }: Report): Promise<void> => {
  const tables = await Promise.all(disks.map(tableOf))
  const seen = tables.flatMap((table) => table.map(({ guid, name }) => `${guid} ${name}`))
  const said = reported.flatMap(({ partitions }) => partitions.map(({ guid, name }) => `${guid.toLowerCase()} ${name}`))
  assert.equal([...seen].sort(), [...said].sort())
  assert.is(new Set(tables.flat().map(({ guid }) => guid)).size, seen.length)
}

/** Two boots: the first provisions; the second finds all in its place, and what was written to the disks in between. */
export const provisionedOnce = async (title: string, one: Case): Promise<void> => {
  const { asked, topology, buses, devices, firmware = 'bios', sector = 512, fstab = false } = one
  const name = title.replaceAll(/\W+/g, '-')
  const disks = buses.map((bus, index) => makeDisk(`${name}-${index}`, bus, { sector }))
  const config = `version: 1\ntopology: ${asked}\nfstab: { enabled: ${fstab} }\n`
  const initramfs = await initramfsOf(name, config, { archive: one.with })
  const how = [...(firmware === 'uefi' ? uefi(name) : []), ...bios(initramfs)]
  const first = await boot(name, how, disks)
  const report = reportOf(first, 'report')
  assert.is(report.status, 'provisioned', JSON.stringify(report.error))
  assert.is(report.topology, topology)
  assert.is(report.firmware, firmware)
  // Stage 2 may load the driver meanwhile.
  for (const { step, result } of report.steps) if (!step.startsWith('driver')) assert.is(result, 'done', step)
  const data = report.filesystems.filter(({ label }) => label === 'ZOSDATA')
  assert.equal(
    data.map((filesystem) => filesystem.devices),
    devices,
  )
  const boots = firmware === 'bios' ? ['zosboot', 'zosboot'] : ['zosboot']
  for (const disk of report.disks) {
    const last = disk.role === 'cache' ? 'zoscache' : 'zosdata'
    assert.equal(
      disk.partitions.map((partition) => partition.name),
      [...boots, last],
    )
    assert.is(disk.sector, sector)
  }
  expectMounts(section(first, 'mounts'), report)
  if (fstab) expectFstab(section(first, 'fstab'), report)
  expectAlreadyRight(reportOf(first, 'again'))
  // A plan of another state is refused by its exit code; the one that was just printed is not.
  // Services may print in between.
  for (const line of [/^other 9$/m, /^same 0$/m]) assert.match(section(first, 'apply'), line)
  await expectTables(disks, report)
  const fixed = await Promise.all(disks.map(fixedDigest))

  const restarted = await boot(name, how, disks)
  const second = reportOf(restarted, 'report')
  expectAlreadyRight(second, /^(mount|fstab)/)
  assert.equal(identities(second), identities(report))
  expectMounts(section(restarted, 'mounts'), second)
  assert.match(section(restarted, 'kept'), /^kept$/m)
  assert.equal(await Promise.all(disks.map(fixedDigest)), fixed)
  for (const { path } of disks) rmSync(path)
}

/** One boot that ends with an error of a class, a machine that is up, and disks of which no byte has changed. */
export const leftAlone = async (
  name: string,
  disks: readonly Disk[],
  error: string,
  words: readonly RegExp[],
): Promise<void> => {
  const before = ({ path }: Disk) => `${path}.before`
  // Holes stay holes.
  for (const disk of disks) await succeed('cp', ['--sparse=always', disk.path, before(disk)], folder, limit)
  const console = await boot(name, bios(await initramfsOf(name, 'version: 1\n')), disks)
  const report = reportOf(console, 'report')
  assert.is(report.error?.class, error, JSON.stringify(report))
  for (const one of words) assert.match(console, one)
  assert.match(section(console, 'up'), /\bup\b/)
  for (const disk of disks) await succeed('cmp', [disk.path, before(disk)], folder, limit)
  for (const disk of disks) for (const path of [disk.path, before(disk)]) rmSync(path)
}

/** An empty disk on which a shell command, with `$1` for its file, leaves something. */
export const dirtyDisk = async (name: string, bus: Bus, command: string): Promise<Disk> => {
  const disk = makeDisk(name, bus)
  await succeed('sh', ['-c', command, 'sh', disk.path], folder, limit)
  return disk
}
