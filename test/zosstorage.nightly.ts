// time limit: 1500 s
// Disks in virtual machines, with the quickstart's image: provisioned, started again, and dirty ones that stay as they are.
// A second archive behind the initramfs brings the case's configuration, and a unit that says what it sees and ends.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { build, project, succeed } from './zos.js'

/** Seconds. */
const limits = { build: 1200, boot: 150, command: 60 }
const gib = 1024 ** 3
const output = join(project, 'dist/quickstart')
const folder = mkdtempSync(join(tmpdir(), 'zos-disks-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const unit = `[service]
name = "storage-check"
exec = "/bin/sh /etc/zinit/init/storage-check.sh"
oneshot = true
`
/** The report, the mounts of the first run, and the report of a second one; each between lines that name it. */
const script = `exec >/dev/console 2>&1
n=0
while [ ! -s /run/zosstorage/state.json ] && [ $n -lt 900 ]; do sleep 0.1; n=$((n+1)); done
sleep 1
echo "== report"; cat /run/zosstorage/state.json
echo "== mounts"; grep -E ' /var/(mounts|cache)/' /proc/mounts
echo "== again"; /usr/bin/zosstorage --report /run/again.json >/dev/null 2>&1; cat /run/again.json
echo "== up"; uptime
echo "== end"
sync
/bin/busybox poweroff -f
`

type Bus = 'virtio' | 'nvme' | 'ssd' | 'hdd'

const deviceOf = (bus: Bus, index: number): string[] => {
  const drive = `drive=d${index}`
  if (bus === 'virtio') return ['-device', `virtio-blk-pci,${drive},serial=disk${index}`]
  if (bus === 'nvme') return ['-device', `nvme,${drive},serial=disk${index}`]
  // A rotation rate of 1 is an SSD (SBC-3, block device characteristics).
  return ['-device', `scsi-hd,${drive},bus=scsi.0,serial=disk${index},rotation_rate=${bus === 'ssd' ? 1 : 7200}`]
}

interface Disk {
  readonly bus: Bus
  readonly path: string
}

const makeDisk = (name: string, bus: Bus): Disk => {
  const path = join(folder, name)
  writeFileSync(path, '')
  truncateSync(path, 4 * gib)
  return { bus, path }
}

/** A copy of the initramfs with the case's configuration and the unit behind it. */
const initramfsOf = async (name: string, config: string): Promise<string> => {
  const root = join(folder, `${name}.root`)
  for (const path of ['etc/zinit/services', 'etc/zinit/init', 'etc/zosstorage'])
    mkdirSync(join(root, path), { recursive: true })
  writeFileSync(join(root, 'etc/zinit/services/storage-check.toml'), unit)
  writeFileSync(join(root, 'etc/zinit/init/storage-check.sh'), script)
  writeFileSync(join(root, 'etc/zosstorage/case.yaml'), config)
  const more = join(folder, `${name}.cpio`)
  await succeed('sh', ['-c', 'find . | cpio -o -H newc --quiet -R 0:0 >"$1"', 'sh', more], root, limits.command)
  const path = join(folder, `${name}.initramfs`)
  copyFileSync(join(output, 'initramfs.cpio.xz'), path)
  appendFileSync(path, readFileSync(more))
  return path
}

/** Starts a machine until it ends by itself, or its console has a text; gives the console. */
const boot = async (
  name: string,
  how: readonly string[],
  disks: readonly Disk[],
  until = '== end',
): Promise<string> => {
  const log = join(folder, `${name}.log`)
  rmSync(log, { force: true })
  const drives = disks.flatMap(({ bus, path }, index) => [
    '-drive',
    `if=none,id=d${index},format=raw,file=${path}`,
    ...deviceOf(bus, index),
  ])
  const machine = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-machine', 'q35,accel=tcg']
  const parts = ['-cpu', 'max', '-smp', '2', '-m', '1024M', '-serial', `file:${log}`, '-device', 'virtio-rng-pci']
  const scsi = ['-device', 'virtio-scsi-pci,id=scsi']
  const args = [...machine, ...parts, ...scsi, ...how, ...drives]
  const machineProcess = spawn('qemu-system-x86_64', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  machineProcess.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  let over = false
  const ended = new Promise<void>((resolve) => {
    machineProcess.on('close', () => {
      over = true
      resolve()
    })
  })
  const timer = setTimeout(() => machineProcess.kill('SIGKILL'), limits.boot * 1000)
  const text = () => (existsSync(log) ? readFileSync(log, 'utf8').replaceAll('\r', '') : '')
  while (!over && !text().includes(until)) await new Promise((wake) => setTimeout(wake, 200))
  // A machine whose own unit ends it gets the time to do so.
  if (until !== '== end') machineProcess.kill('SIGKILL')
  await ended
  clearTimeout(timer)
  assert.is(said, '', said)
  return text()
}

/** Under a PC's BIOS, with the case's configuration. */
const bios = (initramfs: string): string[] => [
  ...['-kernel', join(output, 'vmlinuz'), '-initrd', initramfs],
  ...['-append', 'console=ttyS0 panic=1 quiet no_timer_check zosstorage.config=/etc/zosstorage/case.yaml'],
]

interface Report {
  readonly status: string
  readonly topology: string
  readonly disks: readonly { path: string; role: string; partitions: readonly { path: string; name: string }[] }[]
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
const reportOf = (console: string, name: string): Report =>
  JSON.parse(
    section(console, name)
      .split('\n')
      .filter((line) => /^[{} ]/.test(line) && !/^ +\d+\.\d+s /.test(line))
      .join('\n'),
  )

const digest = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** Names of the partitions as fdisk sees them. */
const namesOn = async ({ path }: Disk): Promise<string[]> => {
  const { stdout } = await succeed('sfdisk', ['--json', path], folder, limits.command)
  const { partitiontable } = JSON.parse(stdout) as { partitiontable: { partitions: { name: string }[] } }
  return partitiontable.partitions.map(({ name }) => name)
}

test('the image', async () => {
  await build('variants/quickstart.config.ts', project, limits.build)
})

interface Case {
  readonly topology: string
  readonly buses: readonly Bus[]
  /** Paths of the first data partition's device, by UUID of its file system; one list a file system. */
  readonly devices: readonly (readonly string[])[]
}
const cases: Record<string, Case> = {
  'one disk, automatically': { topology: 'single', buses: ['virtio'], devices: [['/dev/vda3']] },
  'two disks, a file system on each': {
    topology: 'dual_independent',
    buses: ['virtio', 'virtio'],
    devices: [['/dev/vda3'], ['/dev/vdb3']],
  },
  'two disks, mirrored': {
    topology: 'btrfs_raid1',
    buses: ['virtio', 'virtio'],
    devices: [['/dev/vda3', '/dev/vdb3']],
  },
  'two NVMe disks': {
    topology: 'dual_independent',
    buses: ['nvme', 'nvme'],
    devices: [['/dev/nvme0n1p3'], ['/dev/nvme1n1p3']],
  },
  'an HDD and an SSD': {
    topology: 'ssd_hdd_btrfs',
    buses: ['hdd', 'ssd'],
    devices: [['/dev/sdb3'], ['/dev/sda3']],
  },
}

for (const [title, { topology, buses, devices }] of Object.entries(cases)) {
  test(`${title}: provisioned, and after a restart already right`, async () => {
    const name = title.replaceAll(/\W+/g, '-')
    const disks = buses.map((bus, index) => makeDisk(`${name}-${index}`, bus))
    const asked = title.includes('automatically') ? 'auto' : topology
    const initramfs = await initramfsOf(name, `version: 1\ntopology: ${asked}\n`)
    const first = await boot(name, bios(initramfs), disks)
    const report = reportOf(first, 'report')
    assert.is(report.status, 'provisioned', JSON.stringify(report.error))
    assert.is(report.topology, topology)
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
    assert.is(reportOf(first, 'again').status, 'already_provisioned')
    for (const disk of disks) assert.equal(await namesOn(disk), ['zosboot', 'zosboot', 'zosdata'])

    const second = reportOf(await boot(name, bios(initramfs), disks), 'report')
    assert.is(second.status, 'already_provisioned', JSON.stringify(second.error))
    assert.equal(second.filesystems, report.filesystems)
    for (const { step, result } of second.steps)
      assert.is(result, step.startsWith('mount') ? 'done' : 'already_right', step)
    for (const { path } of disks) rmSync(path)
  })
}

test('under UEFI firmware there is no partition for BIOS boot loaders', async () => {
  const disk = makeDisk('uefi', 'virtio')
  const variables = join(folder, 'variables.fd')
  copyFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd', variables)
  const flash = [
    'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd',
    `if=pflash,unit=1,format=raw,file=${variables}`,
  ]
  const how = [...flash.flatMap((drive) => ['-drive', drive]), '-kernel', join(output, 'vmlinuz.efi')]
  const console = await boot('uefi', how, [disk], 'topology="single"')
  assert.match(console, /INFO provisioned topology="single"/)
  assert.equal(await namesOn(disk), ['zosboot', 'zosdata'])
  rmSync(disk.path)
})

test('disks that are not empty stay as they are, and the machine comes up', async () => {
  const shell = (text: string, { path }: Disk) => succeed('sh', ['-c', text, 'sh', path], folder, limits.command)
  const disks = ['filesystem', 'table', 'backup', 'empty'].map((name) => makeDisk(name, 'virtio'))
  await shell('mkfs.vfat -F 32 "$1"', disks[0]!)
  await shell('echo ",1G" | sfdisk -q --label gpt "$1"', disks[1]!)
  await shell(
    'echo ",1G" | sfdisk -q --label gpt "$1" && dd if=/dev/zero of="$1" bs=1M count=1 conv=notrunc',
    disks[2]!,
  )
  const before = await Promise.all(disks.map(({ path }) => digest(path)))
  const console = await boot('dirty', bios(await initramfsOf('dirty', 'version: 1\n')), disks)
  assert.match(console, /ERROR .*nothing was changed, since not every disk is empty/)
  assert.match(console, /\/dev\/vda \(4 GiB.*vfat/)
  assert.match(console, /\/dev\/vdb \(4 GiB.*gpt/)
  assert.match(console, /\/dev\/vdc \(4 GiB.*gpt/)
  assert.is(reportOf(console, 'report').error?.class, 'not_empty')
  assert.match(section(console, 'up'), /up/)
  assert.equal(await Promise.all(disks.map(({ path }) => digest(path))), before)
  for (const { path } of disks) rmSync(path)
})

test('bcachefs without its tools is refused before any change', async () => {
  const disks = (['ssd', 'hdd', 'hdd'] as const).map((bus, index) => makeDisk(`bcachefs-${index}`, bus))
  const before = await Promise.all(disks.map(({ path }) => digest(path)))
  const report = reportOf(await boot('bcachefs', bios(await initramfsOf('bcachefs', 'version: 1\n')), disks), 'report')
  assert.is(report.error?.class, 'missing')
  assert.match(report.error?.message ?? '', /program bcachefs \(package bcachefs-tools\)/)
  assert.equal(await Promise.all(disks.map(({ path }) => digest(path))), before)
})

test.run()
