import { gzipSync } from 'node:zlib'
import { isZosError, type ZosError } from '@zos/core'
import { errorOf, MemoryBlobs } from '@zos/core/testing'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gzipMembers } from '../dist/format/gzip-members.js'
import { readApk } from '../dist/format/read-apk.js'
import { readIndex } from '../dist/format/read-index.js'
import { checkSignature } from '../dist/format/signature.js'
import { indexPackage, writeIndex } from '../dist/format/write-index.js'
import { unpackApk } from '../dist/install/unpack.js'
import { alpineKeys } from '../dist/repository/keys.js'
import { madeKey, makeApk } from './made-package.js'

const key = madeKey()
const keys = new Map([[key.name, key.publicKey]])
const files = { '/etc/a': 'a', '/etc/b': '-> a', '/var/.keep_x': '', '/.hidden': 'h' }
const apk = await makeApk('a', '1-r0', { files }, key)

const failure = async (run: () => Promise<unknown>): Promise<ZosError> => {
  try {
    await run()
  } catch (error) {
    if (isZosError(error)) return error
    throw error
  }
  throw new Error('expected an error, but there was none')
}

test('format v3 is refused by name', async () => {
  for (const start of ['ADB.pckg', 'ADBd', 'ADBc']) {
    const { code, message } = await failure(() => readApk(Buffer.from(start), 'new.apk'))
    assert.is(code, 'APK_V3')
    assert.match(message, /^new\.apk is of format v3/)
  }
  assert.is((await failure(() => readIndex(Buffer.from('ADB.indx'), keys, 'index'))).code, 'APK_V3')
})

test('data that is not what the control segment says is refused', async () => {
  const members = gzipMembers(apk, 8, 1 << 20, 'a')
  const other = gzipMembers(await makeApk('a', '1-r0', { files: { '/etc/a': 'other' } }, key), 8, 1 << 20, 'a')
  const mixed = Buffer.concat([members[0]!.compressed, members[1]!.compressed, other[2]!.compressed])
  assert.match((await failure(() => readApk(mixed, 'a'))).message, /its data is [0-9a-f]{64}, expected/)
  assert.match((await failure(() => readApk(gzipSync(''), 'a'))).message, /no \.PKGINFO|no control segment/)
})

test('a signature of another key, a wrong one, and none are told apart', async () => {
  const { control, signatures } = await readApk(apk, 'a')
  assert.is(checkSignature(control, signatures, keys, 'a'), key.name)
  const stranger = madeKey('stranger.rsa.pub')
  const unknown = errorOf(() =>
    checkSignature(control, signatures, new Map([[stranger.name, stranger.publicKey]]), 'a'),
  )
  assert.is(unknown.code, 'APK_UNTRUSTED')
  assert.match(unknown.message, new RegExp(`signed by ${key.name}; trusted keys: stranger.rsa.pub`))
  const swapped = errorOf(() => checkSignature(control, signatures, new Map([[key.name, stranger.publicKey]]), 'a'))
  assert.is(swapped.code, 'APK_SIGNATURE')
  assert.match(errorOf(() => checkSignature(control, [], keys, 'a')).message, /a is not signed/)
  assert.is(errorOf(() => checkSignature(control, signatures, new Map([[key.name, 'x']]), 'a')).code, 'APK_KEY')
})

test('an index that was changed or not signed is refused', async () => {
  const index = await writeIndex([await indexPackage(apk, 'a')], key)
  const [signature, content] = gzipMembers(index, 8, 1 << 20, 'index')
  const changed = Buffer.concat([signature!.compressed, gzipSync(content!.content, { level: 1 })])
  assert.is((await failure(() => readIndex(changed, keys, 'index'))).code, 'APK_SIGNATURE')
  assert.is((await failure(() => readIndex(content!.compressed, keys, 'index'))).code, 'APK_UNTRUSTED')
})

test('whatever became of the bytes, a package or a ZosError comes out', async () => {
  const damaged = fc.tuple(fc.nat({ max: apk.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
    const bytes = Uint8Array.from(apk)
    bytes[at] = byte
    return bytes
  })
  const cut = fc.nat({ max: apk.length - 1 }).map((end) => apk.subarray(0, end))
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, cut, fc.uint8Array({ maxLength: 100 })), async (bytes) => {
      try {
        await unpackApk(bytes, { name: 'a', plugin: 'alpine' }, new MemoryBlobs())
      } catch (error) {
        if (!isZosError(error)) throw error
      }
    }),
    { numRuns: 300 },
  )
})

test('unpacked: hidden files and those that keep folders are left out, checksums are there', async () => {
  const { trees, facts } = await unpackApk(apk, { name: 'a', plugin: 'alpine' }, new MemoryBlobs())
  assert.equal(
    [...trees!.tree!.records()].map(({ path }) => path),
    ['/etc', '/etc/a', '/etc/b', '/var'],
  )
  assert.equal(Object.keys(facts!.sha1 as object).sort(), ['/etc/a', '/etc/b'])
  const other = await failure(() => unpackApk(apk, { name: 'b', plugin: 'alpine' }, new MemoryBlobs()))
  assert.match(other.message, /should be b says it is a/)
})

test("Alpine's own keys are those that are pinned", () => {
  assert.is(alpineKeys('x86_64').size, 3)
  assert.is(alpineKeys('aarch64').size, 2)
})

test.run()
