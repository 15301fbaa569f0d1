// Machines whose disks zosstorage provisions: the quickstart's image, a second archive behind its initramfs with the case's
// configuration, and a unit whose script says what it sees on the console and ends the machine.
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
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
import * as assert from 'uvu/assert'
import { project, succeed } from './zos.js'

/** Seconds: a boot that ends by itself or is ended; a command. */
const limits = { boot: 300, command: 60 }
/** Bytes. */
export const diskSize = 4 * 1024 ** 3
export const output = join(project, 'dist/quickstart')
export const folder = mkdtempSync(join(tmpdir(), 'zos-disks-'))

const unit = `[service]
name = "storage-check"
exec = "/bin/sh /etc/zinit/init/storage-check.sh"
oneshot = true
`
/** What every script begins with: the unit of zosstorage has ended. */
const begin = `exec >/dev/console 2>&1
n=0
while [ ! -s /run/zosstorage/state.json ] && [ $n -lt 2000 ]; do sleep 0.1; n=$((n+1)); done
sleep 1
`
const end = `echo "== end"
sync
/bin/busybox poweroff -f
`
/** The report, the mounts of the first run, and the report of a second one; each between lines that name it. */
const look = `echo "== report"; cat /run/zosstorage/state.json
echo "== kept"; cat /var/cache/system/kept 2>/dev/null; echo kept >/var/cache/system/kept
echo "== mounts"; grep -E ' /var/(mounts|cache)/' /proc/mounts
echo "== fstab"; cat /etc/fstab
echo "== again"; /usr/bin/zosstorage --report /run/again.json >/dev/null 2>&1; cat /run/again.json
apply() { /usr/bin/zosstorage apply --plan "$1" --report /run/apply.json >/dev/null 2>&1; echo "$2 $?"; }
echo "== apply"; apply 0123 other; apply "$(/usr/bin/zosstorage plan 2>/dev/null | sed -n 's/^digest: //p')" same
echo "== up"; uptime
`

export type Bus = 'virtio' | 'nvme' | 'ssd' | 'hdd'

export interface Disk {
  readonly bus: Bus
  readonly path: string
  /** Of the file. Default: `raw`. */
  readonly format?: 'raw' | 'qcow2'
  /** Bytes of a logical sector. Default: 512. */
  readonly sector?: 512 | 4096
  /** File that gets every write, in their order. */
  readonly log?: string
}

const deviceOf = ({ bus, sector = 512 }: Disk, index: number): string[] => {
  const sectors = `logical_block_size=${sector},physical_block_size=${sector}`
  const rest = `drive=d${index},serial=disk${index},${sectors}`
  if (bus === 'virtio') return ['-device', `virtio-blk-pci,${rest}`]
  if (bus === 'nvme') return ['-device', `nvme,${rest}`]
  // A rotation rate of 1 is an SSD (SBC-3, block device characteristics).
  return ['-device', `scsi-hd,${rest},bus=scsi.0,rotation_rate=${bus === 'ssd' ? 1 : 7200}`]
}

const driveOf = ({ path, format = 'raw', log }: Disk, index: number): string[] => {
  if (log === undefined) return ['-drive', `if=none,id=d${index},format=${format},file=${path}`]
  writeFileSync(log, '')
  const files = [`node-name=f${index},filename=${path}`, `node-name=l${index},filename=${log}`]
  const logging = `driver=blklogwrites,node-name=d${index},file=f${index},log=l${index}`
  return [...files.map((file) => `driver=file,${file}`), logging].flatMap((node) => ['-blockdev', node])
}

/** An empty disk of 4 GiB. */
export const makeDisk = (name: string, bus: Bus, more: Partial<Disk> = {}): Disk => {
  const path = join(folder, name)
  writeFileSync(path, '')
  truncateSync(path, diskSize)
  return { bus, path, ...more }
}

export interface Extra {
  /** What the unit says on the console. */
  readonly script?: string
  /** A cpio archive. */
  readonly archive?: string | undefined
}

/** A copy of the initramfs with the case's configuration and the unit behind it. */
export const initramfsOf = async (
  name: string,
  config: string,
  { script = look, archive }: Extra = {},
): Promise<string> => {
  const root = join(folder, `${name}.root`)
  for (const path of ['etc/zinit/services', 'etc/zinit/init', 'etc/zosstorage'])
    mkdirSync(join(root, path), { recursive: true })
  writeFileSync(join(root, 'etc/zinit/services/storage-check.toml'), unit)
  writeFileSync(join(root, 'etc/zinit/init/storage-check.sh'), `${begin}${script}${end}`)
  writeFileSync(join(root, 'etc/zosstorage/case.yaml'), config)
  const more = join(folder, `${name}.cpio`)
  await succeed('sh', ['-c', 'find . | cpio -o -H newc --quiet -R 0:0 >"$1"', 'sh', more], root, limits.command)
  const path = join(folder, `${name}.initramfs`)
  copyFileSync(join(output, 'initramfs.cpio.xz'), path)
  for (const part of archive === undefined ? [more] : [archive, more]) appendFileSync(path, readFileSync(part))
  return path
}

/** Starts a machine, and waits until it ends by itself, or its console has a text; gives the console. */
export const boot = async (
  name: string,
  how: readonly string[],
  disks: readonly Disk[],
  until?: string,
): Promise<string> => {
  const log = join(folder, `${name}.log`)
  rmSync(log, { force: true })
  const drives = disks.flatMap((disk, index) => [...driveOf(disk, index), ...deviceOf(disk, index)])
  const machine = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-machine', 'q35,accel=tcg']
  const parts = ['-cpu', 'max', '-smp', '2', '-m', '1024M', '-serial', `file:${log}`, '-device', 'virtio-rng-pci']
  const scsi = ['-device', 'virtio-scsi-pci,id=scsi']
  const args = [...machine, ...parts, ...scsi, ...how, ...drives]
  const child = spawn('qemu-system-x86_64', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  let over = false
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      over = true
      resolve()
    })
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limits.boot * 1000)
  const text = () => (existsSync(log) ? readFileSync(log, 'utf8').replaceAll('\r', '') : '')
  while (!over && !(until !== undefined && text().includes(until))) await new Promise((wake) => setTimeout(wake, 200))
  child.kill('SIGKILL')
  await ended
  clearTimeout(timer)
  assert.is(said, '', said)
  const wanted = until ?? '\n== end\n'
  assert.ok(
    text().includes(wanted),
    `no ${wanted.trim()} within ${limits.boot} s; the console ends:\n${text().slice(-3000)}`,
  )
  return text()
}

const append = 'console=ttyS0 panic=1 quiet no_timer_check'

/** The kernel, and an initramfs with the case's configuration; under a PC's BIOS where no other firmware is there. */
export const bios = (initramfs: string): string[] => [
  ...['-kernel', join(output, 'vmlinuz'), '-initrd', initramfs],
  ...['-append', `${append} zosstorage.config=/etc/zosstorage/case.yaml`],
]

/** UEFI firmware, whose variables are the machine's own. */
export const uefi = (name: string): string[] => {
  const variables = join(folder, `${name}.variables.fd`)
  copyFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd', variables)
  const flash = [
    'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd',
    `if=pflash,unit=1,format=raw,file=${variables}`,
  ]
  return flash.flatMap((drive) => ['-drive', drive])
}

/** The image as it is shipped, for UEFI firmware. */
export const shipped = (): string[] => ['-kernel', join(output, 'vmlinuz.efi'), '-append', append]
