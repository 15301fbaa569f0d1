// time limit: 240 s
// Flists on a real MinIO server: blocks first, checked through the route that nodes get, with the user that reads.
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noMinio } from './minio.js'
import { zosIn } from './publish-project.js'
import { startWorld, type World } from './publish-world.js'
import { type Ended, project } from './zos.js'

let world: World
let place: string
test.before(async () => {
  world = await startWorld()
  place = join(world.folder, 'flists')
  makeProject()
})
test.after(() => world.end())

const config = `
import { defineConfig, definePlugin, ref } from '@zos/core'
import { rfs } from '@zos/rfs'
import { s3 } from '@zos/s3'
import * as v from 'valibot'

const files = definePlugin()({
  name: 'files',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({}),
  refs: (id) => ({ tree: ref(id, 'files', 'tree') }),
  apply(hooks) {
    hooks.resolve.tap('files', (plan) => plan.component({ name: 'files', kind: 'files', options: null }))
    hooks.build.for('files').tap('files', async (_component, ctx) => {
      return { trees: { tree: await ctx.project.folder('tree') } }
    })
  },
})

const source = files()
const store = s3({ config: 'config/rfs.conf' })
export default defineConfig({
  name: 'flists',
  plugins: [source, store, rfs({ store: store.blocks, flists: { firmware: source.tree }, mount: 'none', firmwareTag: 'test' })],
  publish: [store.manifests()],
})
`

const makeProject = (): void => {
  const firmware = join(place, 'tree/lib/firmware')
  mkdirSync(firmware, { recursive: true })
  mkdirSync(join(place, 'config'))
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(join(place, 'zos.config.ts'), config)
  symlinkSync(join(project, 'node_modules'), join(place, 'node_modules'))
  const text = Array.from({ length: 300_000 }, (_, index) => String(index * 7919)).join(' ')
  writeFileSync(join(firmware, 'large.bin'), text)
  for (const name of ['a', 'b', 'c']) writeFileSync(join(firmware, `${name}.bin`), `firmware ${name}`)
}

const conf = (other: Readonly<Record<string, string>> = {}): void => {
  const keys = {
    ...{ S3_ENDPOINT: world.minio.endpoint, S3_REGION: 'us-east-1', S3_BUCKET: 'images', S3_PREFIX: 'pub/blobs' },
    ...{ S3_ACCESS_KEY: world.writer.accessKey, S3_SECRET_KEY: world.writer.secretKey },
    ...{ READ_ACCESS_KEY: world.reader.accessKey, READ_SECRET_KEY: world.reader.secretKey },
    ...{ ROUTE_PATH: '/images/pub/blobs', ROUTE_REGION: 'us-east-1' },
    ...other,
  }
  const text = Object.entries(keys).map(([key, value]) => `${key}='${value}'\n`)
  writeFileSync(join(place, 'config/rfs.conf'), text.join(''))
}

const flists = async (): Promise<string[]> => (await world.objects()).filter((name) => name.endsWith('.fl'))
const blocks = async (): Promise<string[]> =>
  (await world.objects()).filter((name) => /^pub\/blobs\/[0-9a-f]{64}$/.test(name))

const expectSilent = ({ stdout, stderr }: Ended): void => {
  for (const key of Object.values(world.writer)) assert.not.ok((stdout + stderr).includes(key), 'a key was said')
}

test('a route that leads elsewhere: blocks are sent, an error names both places, no flist appears', async () => {
  conf({ ROUTE_PATH: '/images/pub/elsewhere' })
  const ended = await zosIn(place, ['publish'])
  assert.is.not(ended.end, 0, ended.stdout)
  assert.match(ended.stderr, /images\/pub\/elsewhere/)
  assert.match(ended.stderr, /images\/pub\/blobs/)
  expectSilent(ended)
  assert.ok((await blocks()).length >= 4)
  assert.equal(await flists(), [])
})

test('the right route: what was sent is not sent again, and the flist follows', async () => {
  conf()
  const before = await blocks()
  const ended = await zosIn(place, ['publish'])
  assert.is(ended.end, 0, ended.stdout + ended.stderr)
  expectSilent(ended)
  assert.equal(await blocks(), before)
  assert.equal(await flists(), ['pub/blobs/manifests/firmware-test.fl'])
})

test('the published flist: every block through the route with the keys that read; no key that writes', async () => {
  const copy = join(world.folder, 'firmware-test.fl')
  await world.minio.client.fGetObject('images', 'pub/blobs/manifests/firmware-test.fl', copy)
  const bytes = readFileSync(copy)
  assert.ok(bytes.includes(world.reader.secretKey), 'the route carries the keys that read')
  const verified = await zosIn(place, ['flist', 'verify', copy])
  assert.is(verified.end, 0, verified.stdout + verified.stderr)
  const cat = await zosIn(place, ['flist', 'cat', copy, '/b.bin'])
  assert.is(cat.stdout, 'firmware b', cat.stderr)
  const places = ['dist', '.zos'].map((name) => join(place, name)).concat(join(world.folder, 'data/images'))
  for (const file of [copy, ...places.flatMap(filesBelow)])
    for (const key of Object.values(world.writer))
      assert.not.ok(readFileSync(file).includes(key), `${file} holds a key`)
})

const filesBelow = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )

test('a block that changed on the server is found, and stops the next flist', async () => {
  const [name = ''] = await blocks()
  const { size } = await world.minio.client.statObject('images', name)
  await world.minio.client.putObject('images', name, Buffer.alloc(size, 'x'))
  const ended = await zosIn(place, ['flist', 'verify', join(world.folder, 'firmware-test.fl')])
  assert.is.not(ended.end, 0, ended.stdout)
  expectSilent(ended)
})

if (noMinio === undefined) test.run()
else console.log(`skip publish-flists: ${noMinio}`)
