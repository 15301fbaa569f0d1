// time limit: 3000 s
// The whole quickstart twice from one lock, under everything that must not matter: equal bytes.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FileTree, type Manifest } from '@zos/core'
import { decompress } from '@zos/core/format'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'core/dist/cli/main.js')
const config = 'variants/quickstart.config.ts'

interface Circumstances {
  readonly env: Readonly<Record<string, string>>
  readonly umask: string
  readonly jobs: number
  /** Another user than root, where the test is root. */
  readonly uid?: number
  /** Only one processor is to be had. */
  readonly one?: boolean
}

/** Copies a folder file by file; the order of its entries is the order in which they are made. */
const copyFolder = (from: string, to: string, reverse: boolean): void => {
  mkdirSync(to)
  const entries = readdirSync(from, { withFileTypes: true })
    .filter(({ name }) => name !== 'target')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of reverse ? entries.reverse() : entries)
    if (entry.isDirectory()) copyFolder(join(from, entry.name), join(to, entry.name), reverse)
    else copyFileSync(join(from, entry.name), join(to, entry.name))
}

/** A project folder of its own, with its own store and the given lock; with a lock its files are made in reverse order. */
const project = (lock: string | undefined): string => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-reproducible-'))
  chmodSync(folder, 0o755)
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  copyFolder(join(root, 'config'), join(folder, 'config'), lock !== undefined)
  symlinkSync(join(root, '.zos-toolchain'), join(folder, '.zos-toolchain'))
  mkdirSync(join(folder, 'plugins/zosstorage'), { recursive: true })
  const crate = 'plugins/zosstorage/crate'
  copyFolder(join(root, crate), join(folder, crate), lock !== undefined)
  mkdirSync(join(folder, 'variants'))
  copyFileSync(join(root, config), join(folder, config))
  if (lock) copyFileSync(lock, join(folder, 'variants/quickstart.lock'))
  return folder
}

const build = (folder: string, { env, umask, jobs, uid, one }: Circumstances): Manifest => {
  const isRoot = process.getuid?.() === 0
  const words = [
    'sh',
    '-c',
    `umask ${umask} && exec "$@"`,
    'sh',
    ...(one ? ['taskset', '-c', '0'] : []),
    process.execPath,
    program,
    'build',
    '-c',
    config,
    '--jobs',
    String(jobs),
  ]
  const other = isRoot && uid !== undefined
  if (other) execFileSync('chown', ['-R', '-h', `${uid}:${uid}`, folder])
  const [file = '', ...args] = other
    ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...words]
    : words
  const home = other ? { HOME: folder } : {}
  const path = `${join(root, '.zos-toolchain/zig')}:${process.env.PATH}`
  const run = spawnSync(file, args, {
    cwd: folder,
    env: { ...process.env, ...home, PATH: path, ...env },
    encoding: 'utf8',
  })
  assert.is(run.status, 0, `${run.stdout.slice(-3000)}\n${run.stderr.slice(-3000)}`)
  return JSON.parse(readFileSync(join(folder, 'dist/quickstart/manifest.json'), 'utf8')) as Manifest
}

/** The first record in which the archives of two builds differ. */
const firstDifference = async (folders: readonly string[]): Promise<string> => {
  const { readCpioTree } = await import(join(root, 'core/dist/format/cpio-read.js'))
  const [left, right] = await Promise.all(
    folders.map(async (folder) => {
      const file = createReadStream(join(folder, 'dist/quickstart/initramfs.cpio.xz'))
      return FileTree.from(await readCpioTree(decompress(file, 'xz', { outputBytes: 1 << 30 })))
    }),
  )
  for (const difference of left!.diff(right!)) return JSON.stringify(difference)
  return 'every record is equal: the order, the headers or the compression differ'
}

test('same lock, same bytes: other folder, user, umask, locale, time zone, file order, processors, jobs and store', async () => {
  const first = project(undefined)
  const one = build(first, { env: { TZ: 'UTC', LC_ALL: 'C' }, umask: '022', jobs: 4 })
  const second = project(join(first, 'variants/quickstart.lock'))
  const two = build(second, {
    env: { TZ: 'Asia/Kathmandu', LC_ALL: 'C.UTF-8' },
    umask: '077',
    jobs: 1,
    uid: 12_345,
    one: true,
  })
  const digests = ({ outputs }: Manifest): object => outputs.map(({ name, sha256 }) => [name, sha256])
  const equal = JSON.stringify(one) === JSON.stringify(two)
  assert.equal(digests(two), digests(one), equal ? '' : await firstDifference([first, second]))
  assert.equal(two, one)
  for (const folder of [first, second]) rmSync(folder, { recursive: true, force: true })
})

test.run()
