// What is expected of disks after zosstorage has seen them: provisioned once and then left as they are, or never written.
import { createHash } from 'node:crypto'
import { createReadStream, rmSync, statSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { type Bus, bios, boot, type Disk, folder, initramfsOf, makeDisk } from './disk-machine.js'
import { succeed } from './zos.js'

/** Seconds. */
const limit = 60

interface Partition {
  readonly path: string
  readonly name: string
  readonly guid: string
}

interface Report {
  readonly status: string
  readonly topology: string
  readonly disks: readonly { path: string; role: string; partitions: readonly Partition[] }[]
  readonly filesystems: readonly { kind: string; label: string; uuid: string; primary: boolean; devices: string[] }[]
  readonly steps: readonly { step: string; result: string }[]
  readonly error: { class: string; message: string } | null
}

const section = (console: string, name: string): string => {
  const found = new RegExp(`^== ${name}\\n([\\s\\S]*?)^== `, 'm').exec(console)?.[1]
  assert.ok(found !== undefined, `no section ${name} on the console:\n${console.slice(-3000)}`)
  return found
}
// Services may print in between; the report's own lines begin with a brace or a space.
export const reportOf = (console: string, name: string): Report =>
  JSON.parse(
    section(console, name)
      .split('\n')
      .filter((line) => /^[{} ]/.test(line) && !/^ +\d+\.\d+s /.test(line))
      .join('\n'),
  )

/** SHA-256 of some stretches of a file, each with its end left out. */
const digest = async (path: string, stretches: readonly (readonly [start: number, end: number])[]): Promise<string> => {
  const hash = createHash('sha256')
  for (const [start, end] of stretches)
    for await (const chunk of createReadStream(path, { start, end: end - 1 })) hash.update(chunk)
  return hash.digest('hex')
}

export const wholeDigest = ({ path }: Disk): Promise<string> => digest(path, [[0, statSync(path).size]])

interface Table {
  readonly sectorsize: number
  readonly partitions: readonly { start: number; size: number; name: string; uuid: string }[]
}
const tableOf = async ({ path }: Disk): Promise<Table> => {
  const { stdout } = await succeed('sfdisk', ['--json', path], folder, limit)
  return (JSON.parse(stdout) as { partitiontable: Table }).partitiontable
}
/** Names of the partitions as fdisk sees them. */
export const namesOn = async (disk: Disk): Promise<string[]> => (await tableOf(disk)).partitions.map(({ name }) => name)

/** All bytes but those of the data partition, the last one: a mounted file system moves by itself. */
const fixedDigest = async (disk: Disk): Promise<string> => {
  const { sectorsize = 512, partitions } = await tableOf(disk)
  const data = partitions.at(-1)!
  const end = (data.start + data.size) * sectorsize
  return digest(disk.path, [
    [0, data.start * sectorsize],
    [end, statSync(disk.path).size],
  ])
}

export interface Case {
  /** As the configuration has it. */
  readonly asked: string
  readonly topology: string
  readonly buses: readonly Bus[]
  /** Devices of each data file system, the primary first. */
  readonly devices: readonly (readonly string[])[]
}

/** Two boots: the first provisions; the second finds all in its place, and what was written to the disks in between. */
export const provisionedOnce = async (title: string, { asked, topology, buses, devices }: Case): Promise<void> => {
  const name = title.replaceAll(/\W+/g, '-')
  const disks = buses.map((bus, index) => makeDisk(`${name}-${index}`, bus))
  const initramfs = await initramfsOf(name, `version: 1\ntopology: ${asked}\n`)
  const first = await boot(name, bios(initramfs), disks)
  const report = reportOf(first, 'report')
  assert.is(report.status, 'provisioned', JSON.stringify(report.error))
  assert.is(report.topology, topology)
  for (const { step, result } of report.steps) assert.is(result, 'done', step)
  const data = report.filesystems.filter(({ label }) => label === 'ZOSDATA')
  assert.equal(
    data.map((one) => one.devices),
    devices,
  )
  const primary = data.find((one) => one.primary)!
  const mounts = section(first, 'mounts')
  for (const { uuid } of data) assert.match(mounts, new RegExp(` /var/mounts/${uuid} btrfs .*subvolid=5`))
  for (const part of ['system', 'etc', 'modules', 'vm-meta'])
    assert.match(
      mounts,
      new RegExp(`^(${primary.devices.join('|')}) /var/cache/${part} btrfs .*noatime.*subvol=/${part}`, 'm'),
    )
  const again = reportOf(first, 'again')
  assert.is(again.status, 'already_provisioned', JSON.stringify(again.error))
  for (const { step, result } of again.steps) assert.is(result, 'already_right', step)
  const guids = report.disks.flatMap(({ partitions }) => partitions.map(({ guid }) => guid.toLowerCase()))
  const tables = await Promise.all(disks.map(tableOf))
  for (const { partitions } of tables)
    assert.equal(
      partitions.map((one) => one.name),
      ['zosboot', 'zosboot', 'zosdata'],
    )
  const seen = tables.flatMap(({ partitions }) => partitions.map(({ uuid }) => uuid.toLowerCase()))
  assert.equal([...seen].sort(), [...guids].sort())
  assert.is(new Set(seen).size, seen.length)
  const fixed = await Promise.all(disks.map(fixedDigest))

  const restarted = await boot(name, bios(initramfs), disks)
  const second = reportOf(restarted, 'report')
  assert.is(second.status, 'already_provisioned', JSON.stringify(second.error))
  assert.equal(second.filesystems, report.filesystems)
  assert.equal(second.disks, report.disks)
  for (const { step, result } of second.steps)
    assert.is(result, step.startsWith('mount') ? 'done' : 'already_right', step)
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
  const before = await Promise.all(disks.map(wholeDigest))
  const console = await boot(name, bios(await initramfsOf(name, 'version: 1\n')), disks)
  const report = reportOf(console, 'report')
  assert.is(report.error?.class, error, JSON.stringify(report))
  for (const one of words) assert.match(console, one)
  assert.match(section(console, 'up'), /\bup\b/)
  assert.equal(await Promise.all(disks.map(wholeDigest)), before)
  for (const { path } of disks) rmSync(path)
}

/** An empty disk on which a shell command, with `$1` for its file, leaves something. */
export const dirtyDisk = async (name: string, bus: Bus, command: string): Promise<Disk> => {
  const disk = makeDisk(name, bus)
  await succeed('sh', ['-c', command, 'sh', disk.path], folder, limit)
  return disk
}
