// time limit: 600 s
// Flists and a real MinIO server: packed by hand and published by a build, with one user that writes and one that reads.
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Keys, type Minio, noMinio, startMinio } from './minio.js'
import { type Ended, project, start } from './zos.js'

const bucket = 'flists'
const arn = `arn:aws:s3:::${bucket}`
const folder = mkdtempSync(join(tmpdir(), 'zos-flists-'))
const source = join(folder, 'source')
const place = join(folder, 'project')
const cli = join(project, 'core/dist/cli/main.js')

let minio: Minio
let writer: Keys
let reader: Keys

const zos = (words: readonly string[], cwd = project, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  start(process.execPath, [cli, ...words], cwd, 240, { ZOS_STORE: join(folder, 'store'), ...env }).ended

/** Everything that anybody could read afterwards, but for the server's own data. */
const expectNoWriteKey = (...ended: readonly Ended[]): void => {
  const keys = [writer.accessKey, writer.secretKey]
  for (const { stdout, stderr } of ended) for (const key of keys) assert.not.ok((stdout + stderr).includes(key))
  for (const below of [join(folder, 'store'), join(place, 'dist'), join(place, '.zos'), folder]) {
    if (!existsSync(below)) continue
    for (const entry of readdirSync(below, { withFileTypes: true, recursive: below !== folder })) {
      if (!entry.isFile() || entry.name === 'rfs.conf') continue
      const content = readFileSync(join(entry.parentPath, entry.name)).toString('latin1')
      for (const key of keys) assert.not.ok(content.includes(key), join(entry.parentPath, entry.name))
    }
  }
}

const url = ({ accessKey, secretKey }: Keys, path: string): string =>
  `s3://${accessKey}:${secretKey}@127.0.0.1:${minio.port}/${path}?region=us-east-1`

const objects = async (prefix = ''): Promise<string[]> => {
  const names: string[] = []
  for await (const { name } of minio.client.listObjectsV2(bucket, prefix, true)) names.push(name)
  return names
}

test.before(async () => {
  mkdirSync(source)
  for (let at = 0; at < 16; at++) writeFileSync(join(source, `file-${at}`), randomBytes(600_000))
  writeFileSync(join(source, 'again'), readFileSync(join(source, 'file-0')))
  minio = await startMinio(join(folder, 'data'))
  await minio.client.makeBucket(bucket, 'us-east-1')
  writer = await minio.user('writer', [
    { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: [`${arn}/store/*`] },
    { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [arn] },
  ])
  reader = await minio.user('reader', [{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: [`${arn}/store/*`] }])
})
test.after(async () => {
  await minio.kill()
  rmSync(folder, { recursive: true, force: true })
})

const pack = (meta: string, ...more: string[]): Promise<Ended> =>
  zos(['flist', 'pack', '-m', meta, '-s', url(writer, `${bucket}/store`), ...more, '--json', source])

test('a server that is killed in the middle: a clear error, no flist, and the next run sends the rest', async () => {
  const meta = join(folder, 'cut.fl')
  const running = pack(meta, '-r', url(reader, `${bucket}/store`))
  while ((await objects()).length < 5) await sleep(20)
  await minio.kill()
  const cut = await running
  assert.is(cut.end, 5, cut.stdout + cut.stderr)
  assert.match(cut.stdout + cut.stderr, /OBJECTS_UNREACHABLE|OBJECTS_SERVER/)
  assert.not.ok(existsSync(meta))
  await minio.start()
  const before = (await objects()).length
  const whole = await pack(meta, '-r', url(reader, `${bucket}/store`))
  assert.is(whole.end, 0, whole.stdout + whole.stderr)
  const { blocks, sent } = JSON.parse(whole.stdout)
  assert.is(blocks, 32)
  assert.ok(sent < 32 && sent >= 32 - before, `${sent} sent, ${before} were there`)
  for (const name of await objects()) assert.match(name, /^store\/[0-9a-f]{64}$/)
  const verified = await zos(['flist', 'verify', meta])
  assert.is(verified.end, 0, verified.stdout + verified.stderr)
  assert.match(verified.stdout, /32 blocks: all blocks are there and authentic/)
  expectNoWriteKey(cut, whole, verified)
})

test('keys that may only read cannot pack, and a route that leads elsewhere is told with both places', async () => {
  const meta = join(folder, 'wrong.fl')
  const words = ['flist', 'pack', '-m', meta, '-s', url(reader, `${bucket}/store/more`), source]
  const denied = await zos(words)
  assert.match(denied.stderr, /OBJECTS_DENIED/)
  const misrouted = await pack(meta, '-r', url(reader, `${bucket}/store/elsewhere`))
  assert.is(misrouted.end, 5)
  const said = misrouted.stdout + misrouted.stderr
  assert.match(said, `s3://127.0.0.1:${minio.port}/${bucket}/store cannot be read from`)
  assert.match(said, `s3://127.0.0.1:${minio.port}/${bucket}/store/elsewhere`)
  const missing = await zos(['flist', 'pack', '-m', meta, '-s', url(writer, 'nobucket/store'), source])
  assert.match(missing.stderr, /OBJECTS_BUCKET|OBJECTS_DENIED/)
  assert.not.ok(existsSync(meta))
  expectNoWriteKey(denied, misrouted, missing)
})

const config = `
import { defineConfig, definePlugin, ref } from '@zos/core'
import { rfs } from '@zos/rfs'
import { s3 } from '@zos/s3'
import * as v from 'valibot'

const firmware = definePlugin()({
  name: 'firmware',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({}),
  refs: (id) => ({ all: ref(id, 'all', 'root') }),
  apply(hooks) {
    hooks.resolve.tap('all', (plan) => plan.component({ name: 'all', kind: 'firmware', options: null }))
    hooks.build.for('firmware').tap('all', async (_, ctx) => ({ trees: { root: await ctx.project.folder('root') } }))
  },
})
const all = firmware()
const store = s3({ config: 'config/rfs.conf' })
export default defineConfig({
  name: 'flists',
  plugins: [all, store, rfs({ flists: { firmware: all.all }, store: store.blocks, mount: 'none' })],
  publish: [store.manifests()],
})
`

test('a build packs without keys; published, blocks come first and are read by the route of the flist', async () => {
  mkdirSync(join(place, 'config'), { recursive: true })
  mkdirSync(join(place, 'root/lib/firmware/acme'), { recursive: true })
  for (let at = 0; at < 5; at++) writeFileSync(join(place, `root/lib/firmware/acme/${at}.bin`), randomBytes(300_000))
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(join(place, 'zos.config.mjs'), config)
  symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
  const env = { FIRMWARE_TAG: 'test' }
  const plain = await zos(['build', '-c', 'zos.config.mjs'], place, env)
  assert.is(plain.end, 0, plain.stdout + plain.stderr)
  assert.match(plain.stdout + plain.stderr, /FLIST_NO_ROUTE/)
  const refused = await zos(['publish', '-c', 'zos.config.mjs'], place, env)
  assert.is.not(refused.end, 0)

  const conf = (path: string): void =>
    writeFileSync(
      join(place, 'config/rfs.conf'),
      [
        `S3_ENDPOINT="${minio.endpoint}"`,
        `S3_BUCKET=${bucket}`,
        'S3_PREFIX=store/built',
        `S3_ACCESS_KEY=${writer.accessKey}`,
        `S3_SECRET_KEY=${writer.secretKey}`,
        `READ_ACCESS_KEY=${reader.accessKey}`,
        `READ_SECRET_KEY=${reader.secretKey}`,
        `ROUTE_PATH=${path}`,
        'ROUTE_REGION=us-east-1',
        '',
      ].join('\n'),
    )
  conf('/flists/store/wrong')
  const misrouted = await zos(['publish', '-c', 'zos.config.mjs'], place, env)
  assert.match(misrouted.stderr, /FLIST_MISROUTED/)
  assert.not.ok((await objects('store/built/manifests')).length > 0, 'no flist before its blocks can be read')
  conf('/flists/store/built')
  const published = await zos(['publish', '-c', 'zos.config.mjs'], place, env)
  assert.is(published.end, 0, published.stdout + published.stderr)
  assert.equal(await objects('store/built/manifests'), ['store/built/manifests/firmware-test.fl'])
  assert.is((await objects('store/built')).filter((name) => /\/[0-9a-f]{64}$/.test(name)).length, 5)
  const verified = await zos(['flist', 'verify', join(place, 'dist/flists/firmware-test.fl')])
  assert.is(verified.end, 0, verified.stdout + verified.stderr)
  const [lost] = await objects('store/built')
  await minio.client.removeObject(bucket, lost!)
  const bad = await zos(['flist', 'verify', join(place, 'dist/flists/firmware-test.fl')])
  assert.is(bad.end, 1, bad.stdout + bad.stderr)
  const again = await zos(['publish', '-c', 'zos.config.mjs'], place, env)
  assert.is(again.end, 0, again.stdout + again.stderr)
  assert.ok((await objects('store/built')).includes(lost!))
  expectNoWriteKey(plain, refused, misrouted, published, verified, bad, again)
})

if (noMinio === undefined) test.run()
else console.log(`skip flists: ${noMinio}`)
