import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Compression, type DecompressLimits, decompress } from '../dist/format/decompress.js'
import { chunked, collect, fails, hasTool, run } from './archive-fixtures.js'

const packers: Partial<Record<Compression, (content: Uint8Array | string) => Buffer>> = {
  gz: (content) => gzipSync(content),
}
if (hasTool('xz')) packers.xz = (content) => run('xz', ['-c', '-1'], { input: content })
else console.log('skip decompress xz: no xz')
if (hasTool('zstd')) packers.zst = (content) => run('zstd', ['-c', '-q', '-1'], { input: content })
else console.log('skip decompress zstd: no zstd')

const unpack = (bytes: Uint8Array, kind: Compression, chunk = 65536, limits: DecompressLimits = {}) =>
  collect(decompress(chunked(bytes, chunk), kind, { name: 'data.tar', ...limits }))

for (const [name, pack] of Object.entries(packers)) {
  const kind = name as Compression
  const text = Buffer.from('a line of text\n'.repeat(40_000))
  const packed = pack(text)

  test(`${kind}: gives back what went in, whatever the chunks`, async () => {
    for (const chunk of [1 << 20, 4096, 97, 1]) assert.is((await unpack(packed, kind, chunk)).compare(text), 0)
  })

  test(`${kind}: members in a row give contents in a row`, async () => {
    const two = Buffer.concat([pack('one '), pack(''), pack('two')])
    for (const chunk of [1000, 1]) assert.is((await unpack(two, kind, chunk)).toString(), 'one two')
  })

  test(`${kind}: input that is cut off, damaged or of another kind is an error`, async () => {
    for (let length = 0; length < packed.length; length += Math.ceil(packed.length / 40)) {
      await fails('DECOMPRESS_CORRUPT', /^data\.tar cannot be decompressed/, () =>
        unpack(packed.subarray(0, length), kind),
      )
    }
    await fails('DECOMPRESS_CORRUPT', /cannot/, () => unpack(packed.subarray(0, -1), kind))
    await fails('DECOMPRESS_CORRUPT', /cannot/, () =>
      unpack(Buffer.concat([pack('one'), Buffer.from('garbage!')]), kind),
    )
    await fails('DECOMPRESS_CORRUPT', /cannot/, () => unpack(Buffer.from('plain text, not packed'), kind))
  })

  test(`${kind}: output over the limit stops it, and closes the source`, async () => {
    await fails('DECOMPRESS_LIMIT', /^data\.tar gives more than 599999 bytes/, () =>
      unpack(packed, kind, 65536, { outputBytes: 599_999 }),
    )
    assert.is((await unpack(packed, kind, 65536, { outputBytes: 600_000 })).length, 600_000)
    let closed = false
    async function* source() {
      try {
        for (;;) yield packed
      } finally {
        closed = true
      }
    }
    for await (const _ of decompress(source(), kind)) break
    for (let i = 0; i < 100 && !closed; i++) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.ok(closed)
  })

  test(`${kind}: a bomb is stopped by its ratio, before it fills memory`, async () => {
    const bomb = pack(Buffer.alloc(200 * 1024 ** 2))
    const before = process.memoryUsage().rss
    let output = 0
    await fails('DECOMPRESS_LIMIT', /for its first \d+; expected at most 500 for one/, async () => {
      for await (const bytes of decompress(chunked(bomb), kind, { name: 'bomb', ratio: 500 })) output += bytes.length
    })
    assert.ok(output <= 100 * 1024 ** 2, String(output))
    assert.ok(process.memoryUsage().rss - before < 300 * 1024 ** 2)
  })

  test(`${kind}: an error of the source comes through as it is`, async () => {
    const failure = new Error('connection reset')
    async function* source() {
      yield packed.subarray(0, packed.length >> 1)
      throw failure
    }
    try {
      await collect(decompress(source(), kind))
      assert.unreachable()
    } catch (error) {
      assert.is(error, failure)
    }
  })

  test(`${kind}: random damage gives the content or DECOMPRESS_CORRUPT`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1 }),
        async (changes) => {
          const damaged = Buffer.from(packed)
          for (const [at, byte] of changes) damaged[at] = byte
          try {
            await unpack(damaged, kind)
          } catch (error) {
            assert.is((error as { code?: string }).code, 'DECOMPRESS_CORRUPT', String(error))
          }
        },
      ),
      { numRuns: 100 },
    ))
}

if (packers.xz) {
  test('xz: the decoder is held to its memory', async () => {
    const large = run('xz', ['-c', '-9'], { input: 'small' })
    await fails('DECOMPRESS_CORRUPT', /Memory usage limit/, () =>
      unpack(large, 'xz', 65536, { memory: 16 * 1024 ** 2 }),
    )
    assert.is((await unpack(large, 'xz')).toString(), 'small')
  })
}

test('none: passes through, within the limit', async () => {
  assert.is((await unpack(Buffer.from('plain'), 'none')).toString(), 'plain')
  await fails('DECOMPRESS_LIMIT', /more than 4 bytes/, () =>
    unpack(Buffer.from('plain'), 'none', 1, { outputBytes: 4 }),
  )
})

test.run()
