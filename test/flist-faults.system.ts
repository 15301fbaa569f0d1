// time limit: 300 s
// Blocks on their way to real MinIO servers that fail, fill up or lie elsewhere; shards and replicas; what a second pack asks.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Keys, type Minio, noMinio, startMinio } from './minio.js'
import { type OnBytes, spoiledWay } from './spoiled-way.js'
import { type Ended, project, start } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-flist-faults-'))
const source = join(folder, 'source')
const meta = join(folder, 'made.fl')
const cli = join(project, 'core/dist/cli/main.js')
/** Files of the tree, one block each. */
const files = 100

let minio: Minio
let keys: Keys

/** May write and read everywhere, and list only where it is said. */
const rights = (...listed: string[]) => [
  { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: ['arn:aws:s3:::*'] },
  ...listed.map((bucket) => ({ Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [`arn:aws:s3:::${bucket}`] })),
]

test.before(async () => {
  mkdirSync(source)
  for (let at = 0; at < files; at++) writeFileSync(join(source, `file-${at}`), randomBytes(50_000))
  minio = await startMinio(join(folder, 'data'))
  for (const bucket of ['one', 'two', 'closed']) await minio.client.makeBucket(bucket, 'us-east-1')
  keys = await minio.user('writer', rights('one', 'two', 'missing'))
})
test.after(async () => {
  await minio.kill()
  rmSync(folder, { recursive: true, force: true })
})

const zos = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  start(process.execPath, [cli, ...words], project, 90, { ZOS_STORE: join(folder, 'store'), ...env }).ended

const url = (path: string, port = minio.port, { accessKey, secretKey } = keys): string =>
  `s3://${accessKey}:${secretKey}@127.0.0.1:${port}/${path}?region=us-east-1`

/** Packs into stores; readers are sent to the same, or to `routes`. */
const pack = (stores: readonly string[], routes = stores, env: Readonly<Record<string, string>> = {}) => {
  const words = [...stores.flatMap((store) => ['-s', store]), ...routes.flatMap((route) => ['-r', route])]
  return zos(['flist', 'pack', '-m', meta, ...words, '--json', source], env)
}

const counted = ({ end, stdout, stderr }: Ended): { blocks: number; known: number; sent: number } => {
  assert.is(end, 0, stdout + stderr)
  return JSON.parse(stdout)
}

const expectError = ({ end, stdout, stderr }: Ended, code: string): void => {
  assert.is(end, 5, stdout + stderr)
  assert.match(stdout + stderr, code)
  assert.match(stdout + stderr, /"hint":\[".+"\]/)
  for (const key of [keys.accessKey, keys.secretKey]) assert.not.ok((stdout + stderr).includes(key))
  assert.not.ok(existsSync(meta), 'a flist whose blocks are not there')
}

const objects = async (bucket: string): Promise<string[]> => {
  const names: string[] = []
  for await (const { name } of minio.client.listObjectsV2(bucket, '', true)) names.push(name)
  return names
}

const through = (onBytes: OnBytes, work: (port: number) => Promise<void>): Promise<void> =>
  spoiledWay(minio.port, onBytes, work)

test('no bucket, a wrong clock, answers of 503: each is said, and no flist is there', async () => {
  expectError(await pack([url('missing/blobs')]), 'OBJECTS_BUCKET')
  const clock = join(folder, 'clock.mjs')
  writeFileSync(
    clock,
    'const Real = Date; globalThis.Date = class extends Real { constructor(...a) { a.length ? super(...a) : super(Real.now() - 3600e3) } static now() { return Real.now() - 3600e3 } }\n',
  )
  expectError(await pack([url('one/blobs')], undefined, { NODE_OPTIONS: `--import ${clock}` }), 'OBJECTS_CLOCK')
  await through(
    (_up, _total, fail) => fail(503),
    async (port) => expectError(await pack([url('one/blobs', port)]), 'OBJECTS_SERVER'),
  )
})

test('cut connections, answers of 500 and a slow way are borne', async () => {
  let [cuts, fails] = [0, 0]
  const spoil: OnBytes = (up, total, fail) => {
    if (total > (1 << 20) * (cuts + 1) && cuts < 2) {
      cuts++
      up.destroy()
    } else if (total > 3 << 20 && fails < 3) {
      fails++
      fail(500)
    } else if (total > 4 << 20) {
      up.pause()
      setTimeout(() => up.resume(), 10)
    }
  }
  await through(spoil, async (port) => {
    const { blocks, sent } = counted(await pack([url('one/blobs', port)], [url('one/blobs')]))
    assert.is(blocks, files)
    assert.ok(sent <= blocks)
  })
  assert.equal([cuts, fails], [2, 3])
  assert.is((await objects('one')).length, files)
  assert.is((await zos(['flist', 'verify', meta])).end, 0)
})

test('a second pack asks for no block one by one where it may list, sends what changed, and misses what is gone', async () => {
  writeFileSync(join(source, 'file-7'), randomBytes(50_000))
  const [lost] = await objects('one')
  await minio.client.removeObject('one', lost!)
  const asked = { HEAD: 0, PUT: 0, GET: 0 }
  const count: OnBytes = (_up, _total, _fail, chunk) => {
    const method = /^(HEAD|PUT|GET) \//.exec(chunk.toString('latin1', 0, 6))?.[1] as keyof typeof asked | undefined
    if (method) asked[method]++
  }
  await through(count, async (port) => {
    const { known, sent } = counted(await pack([url('one/blobs', port)], [url('one/blobs')]))
    assert.ok(sent === 2 && known === files - 2, `${known} known, ${sent} sent`)
  })
  assert.equal([asked.HEAD, asked.PUT], [0, 2])
  assert.is((await zos(['flist', 'verify', meta])).end, 0)

  // Who may not list asks for each.
  const closed = await minio.user('closed', rights())
  const to = (port: number): string => url('closed/blobs', port, closed)
  assert.is(counted(await pack([to(minio.port)])).sent, files)
  asked.HEAD = 0
  await through(count, async (port) => assert.is(counted(await pack([to(port)], [to(minio.port)])).sent, 0))
  assert.ok(asked.HEAD >= files, `${asked.HEAD}`)
})

test('shards: each store gets its range; replicas: each has all, and one that lost a block is told', async () => {
  const shards = [`00-7f=${url('one/shard')}`, `80-ff=${url('two/shard')}`]
  counted(await pack(shards))
  const firsts = async (bucket: string) =>
    (await objects(bucket)).flatMap((name) => (name.startsWith('shard/') ? [name.slice(6, 8)] : []))
  const [low, high] = [await firsts('one'), await firsts('two')]
  assert.is(low.length + high.length, files)
  assert.ok(low.length > 0 && low.every((first) => first <= '7f'))
  assert.ok(high.length > 0 && high.every((first) => first >= '80'))
  assert.is((await zos(['flist', 'verify', meta])).end, 0)
  const swapped = await pack(shards, [`00-7f=${url('two/shard')}`, `80-ff=${url('one/shard')}`])
  assert.match(swapped.stdout + swapped.stderr, 'FLIST_MISROUTED')
  const gap = await pack([shards[0]!])
  assert.match(gap.stdout + gap.stderr, 'no store for blocks 80-ff')

  const replicas = [url('one/copy'), url('two/copy')]
  assert.is(counted(await pack(replicas)).sent, files)
  const copies = (await objects('two')).filter((name) => name.startsWith('copy/'))
  assert.is(copies.length, files)
  await minio.client.removeObject('two', copies[0]!)
  const verified = await zos(['flist', 'verify', meta])
  assert.is(verified.end, 1)
  assert.match(verified.stdout, /two\/copy/)
  assert.match(verified.stdout, /1 blocks cannot be had/)
  for (const name of ['file-0', 'file-99'])
    assert.is((await zos(['flist', 'cat', meta, name])).end, 0, 'the other store has it')
  const extracted = join(folder, 'extracted')
  assert.is((await zos(['flist', 'extract', meta, extracted])).end, 0)
  assert.equal(readFileSync(join(extracted, 'file-3')), readFileSync(join(source, 'file-3')))
  assert.is(counted(await pack(replicas)).sent, 1)
  assert.is((await zos(['flist', 'verify', meta])).end, 0)
})

test('a full disk on the server: an error, no flist; a rerun finishes once there is room', async () => {
  const small = join(folder, 'small')
  mkdirSync(small)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small]).status !== 0)
    return console.log('skip a full disk on the server: no right to mount a small file system')
  const full = await startMinio(join(small, 'data'))
  try {
    await full.client.makeBucket('one', 'us-east-1')
    const store = url('one/blobs', full.port, await full.user('writer', rights('one')))
    writeFileSync(join(small, 'ballast'), Buffer.alloc(20 << 20))
    rmSync(meta)
    expectError(await pack([store]), 'OBJECTS_FULL')
    rmSync(join(small, 'ballast'))
    // The server looks at its disk now and then, and empties its own trash in its own time.
    let again = await pack([store])
    for (const end = performance.now() + 30_000; again.end !== 0 && performance.now() < end; ) {
      expectError(again, 'OBJECTS_FULL')
      await sleep(500)
      again = await pack([store])
    }
    assert.is(counted(again).blocks, files)
    assert.is((await zos(['flist', 'verify', meta])).end, 0)
  } finally {
    await full.kill()
    spawnSync('umount', [small])
  }
})

if (noMinio === undefined) test.run()
else console.log(`skip flist-faults: ${noMinio}`)
