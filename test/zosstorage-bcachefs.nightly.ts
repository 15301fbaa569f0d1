// time limit: 1800 s
// bcachefs made and mounted for real, where its tools are installed: by the host's program, and the module of the
// quickstart's kernel.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { provisionedOnce } from './disk-cases.js'
import { bios, boot, type Disk, folder, initramfsOf, makeDisk, output } from './disk-machine.js'
import { reportOf, section } from './disk-report.js'
import { build, outputOf, project, succeed, zos } from './zos.js'

/** Seconds: a build that compiles everything; a command. */
const limits = { build: 900, command: 120 }
test.after(() => rmSync(folder, { recursive: true, force: true }))

const program = (process.env.PATH ?? '')
  .split(':')
  .map((path) => join(path, 'bcachefs'))
  .find((path) => existsSync(path))

/** The program with its own libraries, which need not be those of the image, and all modules of the kernel. */
const makeArchive = async (): Promise<string> => {
  const config = 'variants/quickstart.config.ts'
  const built = await build(config, project, limits.build)
  await zos(['publish', '-c', config], project, limits.command)
  const root = join(folder, 'bcachefs.root')
  const [modules, libraries] = [join(root, 'usr/lib/modules'), join(root, 'usr/lib/bcachefs')]
  for (const path of [modules, libraries, join(root, 'usr/sbin')]) mkdirSync(path, { recursive: true })
  const release = outputOf(built, 'kernel').facts?.release as string
  const store = `dir://${join(output, 'published/blobs')}`
  const args = [join(output, 'flists/modules.fl'), join(modules, release), '-s', store]
  await zos(['flist', 'extract', ...args], project, limits.command)
  const { stdout } = await succeed('ldd', [program!], folder, limits.command)
  const paths = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!)
  for (const path of [program!, ...paths]) copyFileSync(path, join(libraries, basename(path)))
  const loader = basename(paths.find((path) => basename(path).startsWith('ld-linux'))!)
  const start = `#!/bin/sh
cd /usr/lib/bcachefs && exec ./${loader} --library-path . ./bcachefs "$@"
`
  writeFileSync(join(root, 'usr/sbin/bcachefs'), start, { mode: 0o755 })
  const path = join(folder, 'bcachefs.cpio')
  await succeed('sh', ['-c', 'find . | cpio -o -H newc --quiet -R 0:0 >"$1"', 'sh', path], root, limits.command)
  return path
}

/** Without its cache: the program refuses, and by hand all that was written is read. */
const withoutCache = `
echo "== report"; cat /run/zosstorage/state.json
mkdir -p /mnt
echo "== degraded"; mount -t bcachefs -o degraded,ro /dev/sda3:/dev/sdb3 /mnt && cat /mnt/system/kept
md5sum /mnt/system/much
`
/** Twice: what was written is in the cache only if the second read asks for it. */
const writeMuch = `
dd if=/dev/urandom of=/var/cache/system/much bs=1M count=64 2>/dev/null
echo kept >/var/cache/system/kept; sync
echo "== report"; cat /run/zosstorage/state.json
echo 3 >/proc/sys/vm/drop_caches
echo "== sum"; md5sum /var/cache/system/much
echo 3 >/proc/sys/vm/drop_caches; md5sum /var/cache/system/much >/dev/null
echo "== usage"; bcachefs fs usage /var/mounts/*
`

if (program === undefined) console.log('skip bcachefs: its tools are not installed')
else {
  let archive: string | undefined

  test('the image, and what it lacks for bcachefs', async () => {
    archive = await makeArchive()
  })

  test('an SSD that caches an HDD: provisioned, and after a restart already right', () =>
    provisionedOnce('bcachefs cache', {
      asked: 'auto',
      topology: 'ssd_hdd_bcachefs',
      buses: ['hdd', 'ssd'],
      devices: [['/dev/sdb3', '/dev/sda3']],
      with: archive!,
    }))

  test('an SSD that caches two HDDs: provisioned, and after a restart already right', () =>
    provisionedOnce('bcachefs two copies', {
      asked: 'auto',
      topology: 'bcachefs_2copy',
      buses: ['ssd', 'hdd', 'hdd'],
      devices: [['/dev/sda3', '/dev/sdb3', '/dev/sdc3']],
      with: archive!,
    }))

  test('two copies without their cache: refused by name, and nothing that was written is lost', async () => {
    const disks: Disk[] = (['hdd', 'hdd', 'ssd'] as const).map((bus, index) => makeDisk(`copies-${index}`, bus))
    const config = 'version: 1\ntopology: auto\n'
    const first = await boot('copies', bios(await initramfsOf('copies', config, { script: writeMuch, archive })), disks)
    assert.is(reportOf(first, 'report').status, 'provisioned')
    const sum = /^[0-9a-f]{32}/m.exec(section(first, 'sum'))![0]
    const script = withoutCache
    const lost = bios(await initramfsOf('lost', config, { script, archive }))
    const second = await boot('lost', lost, disks.slice(0, 2))
    const { error } = reportOf(second, 'report')
    assert.is(error?.class, 'partial', JSON.stringify(error))
    assert.match(second, /missing:[\s\S]*disk 1 of 3/)
    assert.match(section(second, 'degraded'), /^kept$/m)
    assert.ok(section(second, 'degraded').includes(sum), section(second, 'degraded'))
    for (const { path } of disks) rmSync(path)
  })
}

test.run()
