// time limit: 3000 s
// The whole quickstart twice from one lock, under everything that must not matter: equal bytes.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
}

/** A project folder of its own, with its own store and the given lock. */
const project = (lock: string | undefined): string => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-reproducible-'))
  chmodSync(folder, 0o755)
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const name of ['config', '.zos-toolchain'])
    if (name === 'config') cpSync(join(root, name), join(folder, name), { recursive: true })
    else symlinkSync(join(root, name), join(folder, name))
  mkdirSync(join(folder, 'variants'))
  copyFileSync(join(root, config), join(folder, config))
  if (lock) copyFileSync(lock, join(folder, 'variants/quickstart.lock'))
  return folder
}

const build = (folder: string, { env, umask, jobs, uid }: Circumstances): Record<string, string> => {
  const isRoot = process.getuid?.() === 0
  const words = [
    'sh',
    '-c',
    `umask ${umask} && exec "$@"`,
    'sh',
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
  const manifest = JSON.parse(readFileSync(join(folder, 'dist/quickstart/manifest.json'), 'utf8'))
  return Object.fromEntries(
    manifest.outputs.map(({ name, sha256 }: { name: string; sha256: string }) => [name, sha256]),
  )
}

test('same lock, same bytes: other folder, user, umask, locale, time zone, jobs and store', () => {
  const first = project(undefined)
  const one = build(first, { env: { TZ: 'UTC', LC_ALL: 'C' }, umask: '022', jobs: 4 })
  const second = project(join(first, 'variants/quickstart.lock'))
  const two = build(second, { env: { TZ: 'Asia/Kathmandu', LC_ALL: 'C.UTF-8' }, umask: '077', jobs: 1, uid: 12_345 })
  assert.equal(two, one)
  for (const folder of [first, second]) rmSync(folder, { recursive: true, force: true })
})

test.run()
