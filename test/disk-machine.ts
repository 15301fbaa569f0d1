// Machines whose disks zosstorage provisions: the quickstart's image, a second archive behind its initramfs with the case's
// configuration, and a unit that says what it sees on the console and ends the machine.
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
const gib = 1024 ** 3
export const output = join(project, 'dist/quickstart')
export const folder = mkdtempSync(join(tmpdir(), 'zos-disks-'))

const unit = `[service]
name = "storage-check"
exec = "/bin/sh /etc/zinit/init/storage-check.sh"
oneshot = true
`
/** The report, the mounts of the first run, and the report of a second one; each between lines that name it. */
const script = `exec >/dev/console 2>&1
n=0
while [ ! -s /run/zosstorage/state.json ] && [ $n -lt 2000 ]; do sleep 0.1; n=$((n+1)); done
sleep 1
echo "== report"; cat /run/zosstorage/state.json
echo "== kept"; cat /var/cache/system/kept 2>/dev/null; echo kept >/var/cache/system/kept
echo "== mounts"; grep -E ' /var/(mounts|cache)/' /proc/mounts
echo "== again"; /usr/bin/zosstorage --report /run/again.json >/dev/null 2>&1; cat /run/again.json
echo "== up"; uptime
echo "== end"
sync
/bin/busybox poweroff -f
`

export type Bus = 'virtio' | 'nvme' | 'ssd' | 'hdd'

const deviceOf = (bus: Bus, index: number): string[] => {
  const drive = `drive=d${index}`
  if (bus === 'virtio') return ['-device', `virtio-blk-pci,${drive},serial=disk${index}`]
  if (bus === 'nvme') return ['-device', `nvme,${drive},serial=disk${index}`]
  // A rotation rate of 1 is an SSD (SBC-3, block device characteristics).
  return ['-device', `scsi-hd,${drive},bus=scsi.0,serial=disk${index},rotation_rate=${bus === 'ssd' ? 1 : 7200}`]
}

export interface Disk {
  readonly bus: Bus
  readonly path: string
}

export const makeDisk = (name: string, bus: Bus): Disk => {
  const path = join(folder, name)
  writeFileSync(path, '')
  truncateSync(path, 4 * gib)
  return { bus, path }
}

/** A copy of the initramfs with the case's configuration and the unit behind it. */
export const initramfsOf = async (name: string, config: string): Promise<string> => {
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

/** Starts a machine, and waits until it ends by itself, or its console has a text; gives the console. */
export const boot = async (
  name: string,
  how: readonly string[],
  disks: readonly Disk[],
  until?: string,
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

/** Under a PC's BIOS, with the case's configuration. */
export const bios = (initramfs: string): string[] => [
  ...['-kernel', join(output, 'vmlinuz'), '-initrd', initramfs],
  ...['-append', `${append} zosstorage.config=/etc/zosstorage/case.yaml`],
]

/** Under UEFI firmware, whose variables are the machine's own. */
export const uefi = (name: string): string[] => {
  const variables = join(folder, `${name}.variables.fd`)
  copyFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd', variables)
  const flash = [
    'if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd',
    `if=pflash,unit=1,format=raw,file=${variables}`,
  ]
  const image = ['-kernel', join(output, 'vmlinuz.efi'), '-append', append]
  return [...flash.flatMap((drive) => ['-drive', drive]), ...image]
}
