// The store under damage: what is gone or wrong is made again, and never enters an output.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { endingBlobs } from '../dist/model/blobs.js'
import { ownerOf } from '../dist/store/process-owner.js'
import { Store } from '../dist/store/store.js'
import { configOf, Project, pluginsFile, temporaryFolder } from './temporary-project.js'

const files = (command: string): Record<string, string> => ({
  'zos.config.ts': configOf('local.demo({})'),
  'plugins.ts': pluginsFile(`
export const demo = plugin('demo', (hooks, options, { id }) => {
  hooks.resolve.tap('plan', (plan) => {
    plan.source('files', path('files'))
    plan.component({ name: 'thing', kind: 'demo', options: {}, sources: ['files'] })
  })
  hooks.build.for('demo').tap('make', async (_component, ctx) => {
    const toolchain = await ctx.host({ tools: ['sh'] })
    const { tree } = await ctx.fetched('files')
    const made = await ctx.run({ name: 'act', toolchain, inputs: { src: tree }, outputs: ['out'], command: ['sh', '-c', ${JSON.stringify(command)}] })
    const part = await ctx.remember('part-1', 1, async () => ({ files: { part: await ctx.blobs.put('remembered') } }))
    return { trees: { tree: made.tree }, files: part.files }
  })
  hooks.assemble.tap('thing', async (tree, ctx) => tree.delta().tree(await ctx.tree(ref(id, 'thing', 'tree'))))
  hooks.assemble.tap('part', async (tree, ctx) => tree.delta().file('/part', await ctx.fileOf(ref(id, 'thing', 'part'))))
  hooks.assemble.tap('unit', async (tree, ctx) => tree.delta().file('/unit', await ctx.project.text('unit.txt')))
})`),
  'files/a.txt': 'content a\n',
  'files/b.txt': 'content b\n'.repeat(50),
  'unit.txt': 'unit',
})
const pure = files('mkdir out; cp -r src/. out/; echo made > out/made')
const env = { SOURCE_DATE_EPOCH: '1700000000' }

const blobsOf = (project: Project): string[] => {
  const folder = project.path('.zos/v2/blobs')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

const damages: Record<string, (path: string) => void> = {
  gone: (path) => rmSync(path),
  cut: (path) => {
    chmodSync(path, 0o644)
    truncateSync(path, Math.floor(statSync(path).size / 2))
  },
  flipped: (path) => {
    chmodSync(path, 0o644)
    const bytes = readFileSync(path)
    const at = bytes.length >> 1
    if (bytes.length > 0) bytes[at] = bytes[at]! ^ 4
    writeFileSync(path, bytes)
  },
}

test('a damaged blob, of any kind: the next build makes it again, and gives equal bytes', async () => {
  // Without blocks that are remembered, packing reads all that is in the image.
  const plain = `, initramfs: { compression: 'none' }`
  const project = new Project({ ...pure, 'zos.config.ts': configOf('local.demo({})', plain) })
  await project.quick([], env)
  const image = project.bytes('dist/initramfs.cpio')
  const kinds = Object.values(damages)
  let repaired = 0
  for (const [index, path] of blobsOf(project).entries()) {
    if (existsSync(path)) kinds[index % kinds.length]?.(path)
    const { events } = await project.quick(['--rebuild-from=pack'], env)
    if (events.some(({ event, code }) => event === 'warning' && code === 'STORE_INCOMPLETE')) repaired++
    assert.ok(project.bytes('dist/initramfs.cpio').equals(image), path)
  }
  assert.ok(repaired >= 6, `${repaired}`)
})

test('the finished output itself, damaged in the store', async () => {
  const project = new Project(pure)
  await project.quick([], env)
  const image = project.bytes('dist/initramfs.cpio.xz')
  const { outputs } = JSON.parse(project.text('dist/manifest.json'))
  const digest: string = outputs[0].sha256
  for (const damage of Object.values(damages)) {
    damage(project.path(`.zos/v2/blobs/${digest.slice(0, 2)}/${digest}`))
    project.remove('dist')
    await project.quick([], env)
    assert.ok(project.bytes('dist/initramfs.cpio.xz').equals(image))
  }
})

test('all blobs gone at once', async () => {
  const project = new Project(pure)
  await project.quick([], env)
  const image = project.bytes('dist/initramfs.cpio.xz')
  project.remove('.zos/v2/blobs')
  project.remove('dist')
  await project.quick([], env)
  assert.ok(project.bytes('dist/initramfs.cpio.xz').equals(image))
})

test('two builds at once on one store: the same action runs once', async () => {
  // The action's result differs from run to run.
  const slow = files('mkdir out; sleep 0.7; date +%s%N > out/when')
  const store = temporaryFolder()
  const projects = [new Project(slow), new Project(slow)]
  const runs = await Promise.all(projects.map((project) => project.built([], { env: { ...env, ZOS_STORE: store } })))
  const [one, two] = projects.map((project) => project.bytes('dist/initramfs.cpio.xz'))
  assert.ok(one?.equals(two!))
  for (const run of runs) assert.is(run.events.at(-1)?.event, 'finish')
  assert.equal(readdirSync(join(store, 'v2/work')), [])
})

test('contents that a step reads end with the build, in the middle too', async () => {
  const store = Store.open(temporaryFolder(), Date.now)
  const blob = await store.blobs.put(Buffer.alloc(3 << 20, 1))
  const stop = new AbortController()
  const blobs = endingBlobs(store.blobs, stop.signal)
  const ended: unknown[] = []
  let taken = 0
  try {
    for await (const chunk of blobs.stream(blob)) {
      taken += chunk.length
      stop.abort('ended')
    }
  } catch (reason) {
    ended.push(reason)
  }
  for (const call of [blobs.read(blob), blobs.put('text')]) await call.catch((reason) => ended.push(reason))
  store.close()
  assert.ok(taken > 0 && taken < blob.size, `${taken} bytes`)
  assert.equal(ended, ['ended', 'ended', 'ended'])
})

test('what an ended process left goes while the command works; what a short command leaves goes back to its place', async () => {
  const folder = temporaryFolder()
  const dead = '999999:1'
  const work = join(folder, 'v2/work')
  Store.open(folder, Date.now).close()
  for (const name of ['a', 'b', 'c']) {
    mkdirSync(join(work, dead, name), { recursive: true })
    writeFileSync(join(work, dead, name, 'file'), name)
  }
  const short = Store.open(folder, Date.now)
  assert.equal(short.sweeping, [dead])
  assert.equal(readdirSync(work), [ownerOf(process.pid)!])
  short.close()
  assert.equal(readdirSync(work), [dead])
  assert.equal(readdirSync(join(work, dead)), ['a', 'b', 'c'])
  const long = Store.open(folder, Date.now)
  await long.swept()
  assert.equal(long.sweeping, [])
  assert.equal(readdirSync(join(work, ownerOf(process.pid)!, 'swept')), [])
  long.close()
  assert.equal(readdirSync(work), [])
})

test('what ended processes left is swept, what others hold is not', async () => {
  const project = new Project(pure)
  await project.quick([], env)
  const dead = '999999:1'
  const alive = ownerOf(process.ppid)!
  const database = new Database(project.path('.zos/v2/store.sqlite'))
  const leases = (): unknown[] => database.prepare('SELECT owner FROM lease ORDER BY owner').pluck().all()
  assert.equal(leases(), [])
  for (const owner of [dead, alive]) {
    mkdirSync(project.path(`.zos/v2/work/${owner}/action-0`), { recursive: true })
    database.prepare('INSERT INTO lease VALUES(?, 1)').run(owner)
    database.prepare('INSERT INTO claim VALUES(?, ?)').run(`key of ${owner}`, owner)
  }
  project.write({ 'unit.txt': 'other' })
  await project.quick([], env)
  assert.equal(readdirSync(project.path('.zos/v2/work')), [alive])
  assert.equal(leases(), [alive])
  assert.equal(database.prepare('SELECT owner FROM claim').pluck().all(), [alive])
  database.close()
})

test('a claim is held while its owner lives, and given back', () => {
  const folder = temporaryFolder()
  const [one, two] = [Store.open(folder, Date.now), Store.open(folder, Date.now)]
  assert.ok(one.claim('key'))
  // The same process: it may claim again.
  assert.ok(two.claim('key'))
  const database = new Database(join(folder, 'v2/store.sqlite'))
  database.prepare('UPDATE claim SET owner = ?').run(ownerOf(process.ppid))
  assert.not.ok(one.claim('key'))
  one.release('key')
  assert.not.ok(one.claim('key'))
  database.prepare('UPDATE claim SET owner = ?').run('999999:1')
  assert.ok(one.claim('key'))
  one.release('key')
  assert.equal(database.prepare('SELECT * FROM claim').all(), [])
  database.close()
  one.close()
  two.close()
})

test('a clock that was ahead for a while does not hide later runs', async () => {
  let now = 2e12
  const store = Store.open(temporaryFolder(), () => now)
  const record = (name: string) => ({
    code: '',
    options: '',
    reads: [{ kind: 'file', subject: 'f', saw: name }],
    result: name,
    actions: [],
    packages: [],
    ms: 1,
  })
  for (let run = 0; run < 20; run++) await store.setTapRecord('step', 'key', record(`ahead ${run}`))
  now = 1e12
  await store.setTapRecord('step', 'key', record('now'))
  assert.is([...store.tapRecords('key', 'step')][0]?.record.result, 'now')
  assert.is(store.lastTapRecord('step')?.result, 'now')
  store.close()
})

test('long values lie in blobs, and a damaged one is a miss', async () => {
  const folder = temporaryFolder()
  const store = Store.open(folder, Date.now)
  const value = { long: 'x'.repeat(100_000) }
  await store.setResult('memo', 'key', value)
  assert.equal(store.result('memo', 'key'), value)
  const blobs = join(folder, 'v2/blobs')
  const [name = ''] = readdirSync(blobs, { recursive: true })
    .map(String)
    .filter((path) => path.length > 60)
  damages.flipped?.(join(blobs, name))
  assert.is(store.result('memo', 'key'), undefined)
  rmSync(join(blobs, name))
  assert.is(store.result('memo', 'key'), undefined)
  store.close()
})

test('garbage in the database is an error that says what to do, never a crash', async () => {
  const project = new Project(pure)
  await project.quick([], env)
  const path = project.path('.zos/v2/store.sqlite')
  const sound = readFileSync(path)
  const garbage = Buffer.from('this is no database. '.repeat(400))
  for (const at of [0, 100, 4096, 3 * 4096, sound.length - 8192]) {
    writeFileSync(path, sound)
    for (const log of ['-wal', '-shm']) rmSync(`${path}${log}`, { force: true })
    const bytes = Buffer.from(sound)
    garbage.copy(bytes, at)
    writeFileSync(path, bytes)
    const { code, out } = await project.run(['build', '--json'], env)
    if (code === 0) continue
    const error = JSON.parse(out.trim().split('\n').at(-1)!)
    assert.equal([error.code, code], ['STORE_DATABASE', 7], `at ${at}: ${error.message}`)
    assert.match(error.hint[0], /remove .*\.zos\/v2 to start afresh/, `at ${at}: ${out}`)
  }
  writeFileSync(path, garbage)
  assert.is((await project.failure()).code, 'STORE_DATABASE')
  project.remove('.zos/v2')
  await project.quick([], env)
})

test('a store that may not be written says so', async () => {
  const root = process.getuid?.() === 0
  const project = new Project(pure)
  await project.quick([], env)
  const folders = [
    '.zos',
    '.zos/v2',
    ...['blobs', 'work', 'logs', 'partial', 'roots', 'containers'].map((name) => `.zos/v2/${name}`),
  ]
  chmodSync(project.root, 0o755)
  for (const folder of folders) chmodSync(project.path(folder), 0o555)
  try {
    // Root may write everywhere.
    const { code, out } = await project.zos(['build', '--json'], { env, ...(root && { uid: 65534 }) })
    const error = JSON.parse(out.trim().split('\n').at(-1)!)
    assert.is(code, 7, out)
    assert.match(error.code, /^STORE_/)
    assert.match(error.hint[0], /ZOS_STORE/)
    const none = await project.zos(['build', '--json'], {
      env: { ...env, ZOS_STORE: project.path('.zos/none') },
      ...(root && { uid: 65534 }),
    })
    assert.match(none.out, /STORE_FOLDER/)
  } finally {
    for (const folder of folders) chmodSync(project.path(folder), 0o755)
  }
})

test('another format number is another folder', async () => {
  const project = new Project({ ...pure, '.zos/v0/store.sqlite': 'of an older zos' })
  await project.quick([], env)
  assert.is(project.text('.zos/v0/store.sqlite'), 'of an older zos')
})

test('a blob that cannot be put is an error of the store', async () => {
  const folder = temporaryFolder()
  const store = Store.open(folder, Date.now)
  rmSync(join(folder, 'v2/work'), { recursive: true })
  try {
    await store.blobs.put('x')
    assert.unreachable()
  } catch (error) {
    assert.ok(isZosError(error))
    assert.equal([error.code, error.exit], ['STORE_WRITE', 7])
  }
  store.close()
})

test.run()
