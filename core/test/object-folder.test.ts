// Objects in a folder: whole or not at all, conditional writes that hold between writers, keys that stay inside.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { checkKey, parseObjectUrl, shownObjectUrl } from '../dist/io/object-location.js'
import { openObjects } from '../dist/io/objects.js'
import type { ObjectStore } from '../dist/model/object-store.js'
import { temporaryFolder } from './temporary-project.js'

const never = new AbortController().signal
const open = (path: string): Promise<ObjectStore> => openObjects('/', { kind: 'dir', path }, never)

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error) => (isZosError(error) ? error.code : String(error)),
  )

const textOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  const found: Uint8Array[] = []
  for await (const chunk of chunks) found.push(chunk)
  return Buffer.concat(found).toString()
}

const keysOf = async (store: ObjectStore, prefix?: string): Promise<string[]> => {
  const found: string[] = []
  for await (const { key } of store.list(prefix)) found.push(key)
  return found
}

test('what is put can be read, listed by prefix and removed', async () => {
  const folder = temporaryFolder()
  const store = await open(join(folder, 'objects'))
  assert.equal(await keysOf(store), [])
  for (const key of ['kernel/b', 'kernel/a.txt', 'kernel/a/x', 'other']) await store.put(key, `text of ${key}`)
  assert.equal(await keysOf(store), ['kernel/a.txt', 'kernel/a/x', 'kernel/b', 'other'])
  assert.equal(await keysOf(store, 'kernel/a'), ['kernel/a.txt', 'kernel/a/x'])
  assert.is(await textOf(store.get('kernel/a/x', { limit: 100 })), 'text of kernel/a/x')
  assert.is((await store.head('kernel/b'))?.size, 16)
  assert.is(await store.head('kernel'), undefined)
  await store.remove('kernel/b')
  await store.remove('kernel/b')
  assert.is(await store.read('kernel/b', { limit: 1 }), undefined)
  assert.is(await codeOf(textOf(store.get('kernel/b', { limit: 1 }))), 'OBJECT_MISSING')
  assert.is(await codeOf(store.read('other', { limit: 3 })), 'OBJECT_SIZE')
  assert.is(await codeOf(textOf(store.get('other', { limit: 3 }))), 'OBJECT_SIZE')
})

test('conditional writes: of many writers at once one wins, and none is lost', async () => {
  const folder = temporaryFolder()
  const store = await open(folder)
  const first = await Promise.all(
    Array.from({ length: 8 }, (_, index) => codeOf(store.put('once', String(index), { ifAbsent: true }))),
  )
  assert.equal(first.filter((code) => code === 'no error').length, 1)
  assert.equal(first.filter((code) => code === 'OBJECT_CHANGED').length, 7)

  await store.put('count', '0')
  const add = async (): Promise<void> => {
    for (;;) {
      const found = await store.read('count', { limit: 10 })
      const next = String(Number(Buffer.from(found!.bytes).toString()) + 1)
      const code = await codeOf(store.put('count', next, { ifMatch: found!.etag }))
      if (code === 'no error') return
      assert.is(code, 'OBJECT_CHANGED')
    }
  }
  await Promise.all(Array.from({ length: 10 }, add))
  assert.is(readFileSync(join(folder, 'count'), 'utf8'), '10')
  assert.equal(readdirSync(folder).sort(), ['count', 'once'])
})

test('content that fails in the middle leaves nothing', async () => {
  const folder = temporaryFolder()
  const store = await open(folder)
  const reader = {
    read: async () => new Uint8Array(),
    async *stream() {
      yield Buffer.from('half')
      throw new Error('cut')
    },
  }
  assert.is(await codeOf(store.put('x/y', { blob: { sha256: '0'.repeat(64), size: 8 }, reader })), 'OBJECTS_FOLDER')
  assert.equal(readdirSync(join(folder, 'x')), [])
})

test('a folder that cannot be written is an error that says so', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')
  const store = await open(join(folder, 'file'))
  assert.is(await codeOf(store.put('x', 'y')), 'OBJECTS_FOLDER')
})

test('keys stay inside, whatever they are', () => {
  for (const key of ['', '/a', 'a/', 'a//b', '../a', 'a/../b', '.', 'a\\b', 'a\nb', 'x'.repeat(1025)])
    assert.throws(
      () => checkKey(key),
      (error: unknown) => isZosError(error) && error.code === 'OBJECT_KEY',
      key,
    )
  fc.assert(
    fc.property(fc.string(), (key) => {
      try {
        return join('/root', checkKey(key)).startsWith('/root/')
      } catch (error) {
        return isZosError(error)
      }
    }),
  )
})

test('addresses: what is read is shown without keys, and what is wrong is told without them', () => {
  const secretKey = 'wJalrXUtnFEMI'
  const location = parseObjectUrl(`s3://AKIDEXAMPLE:${secretKey}@store.example:9000/bucket/a/b?region=garage`)
  assert.equal(location, {
    ...{ kind: 's3', tls: false, host: 'store.example', port: 9000, bucket: 'bucket', prefix: 'a/b', region: 'garage' },
    ...{ accessKey: 'AKIDEXAMPLE', secretKey },
  })
  assert.is(shownObjectUrl(location, 'k'), 's3://store.example:9000/bucket/a/b/k')
  assert.is(shownObjectUrl(parseObjectUrl('s3s://[::1]:443/abc')), 's3s://[::1]:443/abc')
  assert.equal(parseObjectUrl('dir:///srv/a%20b'), { kind: 'dir', path: '/srv/a b' })
  const wrong = [
    's3://host/bucket',
    's3://host:1/',
    's3://host:1/B',
    'ftp://x/y',
    'dir://x/y',
    'nothing',
    's3://a%zz@h:1/abc',
  ]
  for (const url of [...wrong, `s3://AKIDEXAMPLE:${secretKey}@host/bucket`])
    assert.throws(
      () => parseObjectUrl(url),
      (error: unknown) => isZosError(error) && error.code === 'OBJECTS_URL' && !error.message.includes(secretKey),
      url,
    )
  fc.assert(
    fc.property(fc.webUrl(), (url) => {
      try {
        return parseObjectUrl(url) !== undefined
      } catch (error) {
        return isZosError(error)
      }
    }),
  )
})

test.run()
