// time limit: 300 s
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readFlist } from '../dist/flist-read.js'

const project = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const cli = join(project, 'core/dist/cli/main.js')
const folder = mkdtempSync(join(tmpdir(), 'zos-flists-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

const zos = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, 'flist', ...args], {
      cwd: project,
      env: { ...process.env, ZOS_STORE: join(folder, 'store') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out), stderr }))
  })

const good = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await zos(...args)
  assert.is(code, 0, `zos flist ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
  assert.is(stderr, '')
  return stdout.toString('utf8')
}

const bad = async (code: number, pattern: RegExp, ...args: string[]): Promise<string> => {
  const ended = await zos(...args)
  const text = `${ended.stdout}${ended.stderr}`
  assert.is(ended.code, code, text)
  assert.match(text, pattern)
  return text
}

const blocks = join(folder, 'blocks')
const source = join(folder, 'source')
const flist = join(folder, 'a.fl')
const storeOf = (path: string): string => `dir://${path}`
const storedIn = (path: string): string[] =>
  existsSync(path)
    ? (readdirSync(path, { recursive: true }) as string[]).filter((name) => /\/[0-9a-f]{64}$/.test(name))
    : []

/** Bytes that do not compress, the same for a seed. */
const noise = (size: number, seed: number): Buffer =>
  createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16)).update(Buffer.alloc(size))

const makeSource = (): void => {
  mkdirSync(join(source, 'deep/er'), { recursive: true })
  writeFileSync(join(source, 'empty'), '')
  writeFileSync(join(source, 'small'), 'a few bytes\n', { mode: 0o640 })
  writeFileSync(join(source, 'big'), noise(1_500_000, 1))
  writeFileSync(join(source, 'copy of big'), noise(1_500_000, 1))
  writeFileSync(join(source, `${'long'.repeat(63)}.ko`), 'long')
  writeFileSync(join(source, 'exact'), noise(524_288, 2))
  writeFileSync(join(source, 'sparse'), '')
  truncateSync(join(source, 'sparse'), 3_000_000)
  linkSync(join(source, 'small'), join(source, 'deep/hard'))
  symlinkSync('../small', join(source, 'deep/soft'))
  symlinkSync('/nowhere/at/all', join(source, 'deep/er/dangling'))
  execFileSync('mkfifo', [join(source, 'deep/fifo')])
  // Old enough to be known by its stamp, whatever the clock's tick.
  for (const name of readdirSync(source)) utimesSync(join(source, name), 1_600_000_000, 1_600_000_000)
}

const packed = (...more: string[]): Promise<string> =>
  good('pack', '-m', flist, '-s', storeOf(blocks), ...more, '--json', source)

const wait = (milliseconds: number): Promise<void> => new Promise((wake) => setTimeout(wake, milliseconds))

test('pack writes a flist and every block once', async () => {
  makeSource()
  const summary = JSON.parse(await packed())
  // big, its copy: 3 blocks; small and hard: 1; long, exact: 1 each; sparse: 5 zero blocks and a part: 2 kinds.
  assert.is(summary.blocks, 8)
  assert.is(summary.sent, 8)
  assert.is(storedIn(blocks).length, 8)
  const { entries, routes, tags } = readFlist(readFileSync(flist), flist)
  assert.equal(routes, [{ start: 0, end: 255, url: storeOf(blocks) }])
  assert.is(tags.get('block-size'), '524288')
  const at = (path: string) => entries.find((entry) => entry.path === path)!
  assert.equal(at('/copy of big').blocks, at('/big').blocks)
  assert.equal(at('/deep/hard').blocks, at('/small').blocks)
  assert.is(at('/sparse').blocks.length, 6)
  assert.is(at('/empty').blocks.length, 0)
  assert.is(at('/deep/soft').target, '../small')
  assert.is(at('/deep/fifo').mode & 0o170000, 0o010000)
  assert.is(at('/small').mode, 0o100640)
  assert.is(at('/small').mtime, 1_600_000_000)
})

test('a second pack reads nothing, one changed file is read again, and the bytes are the same', async () => {
  // Stamps younger than two seconds are not relied on.
  await wait(2100)
  await packed()
  const first = readFileSync(flist)
  const second = JSON.parse(await packed())
  assert.is(second.known, second.files)
  assert.is(second.sent, 0)
  assert.ok(readFileSync(flist).equals(first))
  writeFileSync(join(source, 'exact'), noise(524_288, 3))
  const third = JSON.parse(await packed())
  assert.is(third.known, third.files - 1)
  assert.is(third.sent, 1)
  const fresh = join(folder, 'fresh.fl')
  await good('pack', '-m', fresh, '-s', storeOf(join(folder, 'other')), '-r', storeOf(blocks), source)
  assert.ok(readFileSync(fresh).equals(readFileSync(flist)), 'another store, another memory, the same flist')
})

test('verify, tree, inspect, cat and extract read it', async () => {
  assert.match(await good('verify', flist), /8 blocks: all blocks are there and authentic/)
  assert.match(await good('tree', flist), /^\/deep\/soft -> \.\.\/small$/m)
  assert.match(await good('tree', '-l', flist, 'deep'), /^prw-r--r-- +\S+ +0 \/deep\/fifo$/m)
  assert.match(await good('inspect', flist), /files +8\n[\s\S]*store +00-ff dir:/)
  assert.match(await good('inspect', flist, 'small'), /mode +100640/)
  const cat = await zos('cat', flist, '/big')
  assert.is(cat.code, 0)
  assert.ok(cat.stdout.equals(noise(1_500_000, 1)))
  const out = join(folder, 'out')
  assert.match(await good('extract', flist, out), /left out, only root can make them: \/deep\/fifo/)
  rmSync(join(source, 'deep/fifo'))
  execFileSync('diff', ['-r', '--no-dereference', source, out])
  assert.is(statSync(join(out, 'small')).mode & 0o777, 0o640)
  execFileSync('mkfifo', [join(source, 'deep/fifo')])
})

test('outside of a project the commands are there too', () => {
  const words = [cli, 'flist', 'cat', flist, 'small']
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: folder, encoding: 'utf8' })
  assert.is(status, 0, stderr)
  assert.is(stdout, 'a few bytes\n')
})

test('diff says what changed', async () => {
  const after = join(folder, 'b.fl')
  await good('pack', '-m', after, '-s', storeOf(blocks), source)
  assert.is((await zos('diff', flist, flist)).code, 0)
  appendFileSync(join(source, 'small'), 'more\n')
  rmSync(join(source, 'empty'))
  writeFileSync(join(source, 'new'), 'x')
  await good('pack', '-m', after, '-s', storeOf(blocks), source)
  const { code, stdout } = await zos('diff', flist, after)
  assert.is(code, 1)
  const text = stdout.toString('utf8')
  assert.match(text, /^~ \/small: content, 12 → 17 bytes/m)
  assert.match(text, /^- \/empty$/m)
  assert.match(text, /^\+ \/new$/m)
})

test('shards and replicas: each block where its range says, in every store of it', async () => {
  const [low, high, all] = ['low', 'high', 'all'].map((name) => join(folder, name)) as [string, string, string]
  const file = join(folder, 'sharded.fl')
  const stores = ['-s', `00-7f=${storeOf(low)}`, '-s', `80-ff=${storeOf(high)}`, '-s', storeOf(all)]
  await good('pack', '-m', file, ...stores, source)
  for (const name of storedIn(low)) assert.ok(/^[0-7]/.test(name), name)
  for (const name of storedIn(high)) assert.ok(/^[89a-f]/.test(name), name)
  assert.equal([...storedIn(low), ...storedIn(high)].sort(), storedIn(all).sort())
  await good('verify', file)
  const [lost] = storedIn(low)
  rmSync(join(low, lost!))
  // Its replica serves readers; verify wants all of them.
  const out = join(folder, 'out2')
  await good('extract', file, out)
  await bad(1, new RegExp(`block ${lost!.slice(3)} in dir:.*low`), 'verify', file)
  await good('pack', '-m', file, ...stores, source)
  await good('verify', file)
  await bad(3, /no store for blocks 80-ff/, 'pack', '-m', file, '-s', `00-7f=${storeOf(low)}`, source)
})

test('damaged and cut blocks are found, and a cut one is sent again', async () => {
  await good('pack', '-m', flist, '-s', storeOf(blocks), source)
  // The store also has blocks of what the folder held before.
  const { id } = readFlist(readFileSync(flist), flist).entries.find((entry) => entry.path === '/big')!.blocks[0]!
  const path = join(blocks, id.slice(0, 2), id)
  const whole = readFileSync(path)
  const flipped = Buffer.from(whole)
  flipped[1000]! ^= 1
  rmSync(path)
  writeFileSync(path, flipped)
  await bad(1, /its bytes have another digest/, 'verify', flist)
  await bad(1, /BLOCK_DAMAGED|another digest/, 'extract', flist, join(folder, 'out3'))
  writeFileSync(path, whole.subarray(0, 100))
  await good('pack', '-m', flist, '-s', storeOf(blocks), source)
  await good('verify', flist)
})

test('a store that is not there is told once, not for every block', async () => {
  const said = await bad(
    5,
    /OBJECTS_UNREACHABLE[\s\S]*connection refused/,
    'verify',
    flist,
    '-s',
    's3://127.0.0.1:1/gone',
  )
  assert.is(said.match(/refused/g)?.length, 1, said)
  await bad(1, /not one is there: is the flist published/, 'verify', flist, '-s', storeOf(join(folder, 'nowhere')))
})

test('stores are shown without keys, and replaced once blocks can be read there', async () => {
  assert.match(await good('stores', flist), /^00-ff dir:/)
  const text = await bad(5, /cannot be read from dir:/, 'stores', flist, '--set', storeOf(join(folder, 'empty store')))
  assert.match(text, blocks)
  const moved = join(folder, 'moved')
  execFileSync('cp', ['-r', blocks, moved])
  await good('stores', flist, '--set', `00-7f=${storeOf(moved)}`, '--set', `80-ff=${storeOf(moved)}`)
  assert.match(await good('stores', flist), /^00-7f dir:.*moved\n80-ff dir:.*moved$/m)
  await good('verify', flist)
  const secret = 'hOw/sEcrEt+thisIs'
  await good('stores', flist, '--unchecked', '--set', 's3://reader:readable-123@host.example:9000/blobs?region=garage')
  assert.not.match(await good('stores', flist), /readable-123|reader/)
  assert.not.match(await good('inspect', flist), /readable-123|reader/)
  const words = await bad(
    3,
    /FLIST_ROUTE/,
    'stores',
    flist,
    '--unchecked',
    '--set',
    `s3://reader:${secret}@host:9000/b`,
  )
  assert.not.match(words, 'sEcrEt')
})

test('a store that only nodes read is told before anything is sent, and can be put in and replaced', async () => {
  const [meta, web] = [join(folder, 'web.fl'), 'http://127.0.0.1:1/blocks']
  const own = join(folder, 'own')
  const refused = /127\.0\.0\.1:1\/blocks: only the rfs program reads[\s\S]*--unchecked/
  await bad(3, refused, 'pack', '-m', meta, '-s', storeOf(own), '-r', web, source)
  assert.equal(storedIn(own), [])
  await good('pack', '-m', meta, '-s', storeOf(blocks), '--json', source)
  assert.is(await good('stores', meta, '--set', web, '--unchecked'), `00-ff ${web}\n`)
  await bad(3, refused, 'verify', meta)
  assert.match(await good('verify', meta, '-s', storeOf(blocks)), /authentic/)
  await bad(5, /blocks cannot be read from/, 'stores', meta, '--set', storeOf(own))
  assert.is(await good('stores', meta, '--set', storeOf(blocks)), `00-ff ${storeOf(blocks)}\n`)
})

test('the write key is in no flist, and in nothing that is said', async () => {
  const [key, secret] = ['writeAccess77', 'writeSecret88']
  const url = `s3://${key}:${secret}@127.0.0.1:1/bucket/prefix?region=garage`
  const said = await bad(5, /127\.0\.0\.1/, 'pack', '-m', join(folder, 'c.fl'), '-s', url, source)
  assert.not.match(said, key)
  assert.not.match(said, secret)
  assert.not.ok(existsSync(join(folder, 'c.fl')))
  for (const path of readdirSync(join(folder, 'store'), { recursive: true }) as string[]) {
    const full = join(folder, 'store', path)
    if (!statSync(full).isFile()) continue
    const text = readFileSync(full).toString('latin1')
    assert.not.ok(text.includes(key) || text.includes(secret), path)
  }
})

test('wrong words, wrong files and wrong names are told in a line', async () => {
  await bad(2, /-m FILE/, 'pack', source)
  await bad(2, /-s URL/, 'pack', '-m', flist, source)
  await bad(2, /expected a folder/, 'pack', '-m', flist, '-s', storeOf(blocks), join(folder, 'nowhere'))
  await bad(3, /s3\+tls/, 'pack', '-m', flist, '-s', 's3+tls://host:1/b', source)
  await bad(2, /no such file/, 'verify', join(folder, 'nowhere.fl'))
  await bad(1, /no SQLite file/, 'tree', cli)
  await bad(1, /has no \/nothing/, 'cat', flist, '/nothing')
  await bad(1, /has no \/nothing/, 'tree', flist, 'nothing')
  await bad(1, /\/deep is no regular file[\s\S]*zos flist tree -l/, 'cat', flist, 'deep')
  await bad(2, /zos flist has no command pak.*pack/, 'pak')
  const latin = join(folder, 'latin')
  mkdirSync(latin)
  writeFileSync(Buffer.from(`${latin}/caf\xe9`, 'latin1'), '')
  await bad(1, /not UTF-8/, 'pack', '-m', flist, '-s', storeOf(blocks), latin)
})

test.run()
