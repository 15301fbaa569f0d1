// time limit: 300 s
import { Buffer } from 'node:buffer'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { compress, compressionIdentity, type StreamCompression } from '../dist/format/compress.js'
import { decompressZstd, type ZstdLimits } from '../dist/format/zstd.js'

/** Real machine code and text: the Node binary's own bytes. */
const content = readFileSync(process.execPath).subarray(1 << 20, (1 << 20) + 3_000_000)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}
const cut = (bytes: Uint8Array, size: (index: number) => number): Uint8Array[] => {
  const pieces: Uint8Array[] = []
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const step = Math.max(1, size(index))
    pieces.push(bytes.subarray(at, at + step))
    at += step
  }
  return pieces
}
const unzstd = (bytes: Uint8Array, limits?: ZstdLimits): Promise<Buffer> =>
  collect(
    decompressZstd(
      cut(bytes, (index) => (index * 977) % 5000),
      limits,
    ),
  )
const failure = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return isZosError(error) ? error.code : `no ZosError: ${error}`
}
const tool = (name: string, program: string, run: () => Promise<void>): void => {
  if (spawnSync(program, ['--version']).status === 0) test(name, run)
  else console.log(`skip ${name}: no ${program} on this machine`)
}

const kinds: StreamCompression[] = [
  { kind: 'none' },
  { kind: 'gzip', level: 9 },
  { kind: 'zstd', level: 3 },
  { kind: 'zstd', level: 19 },
]

for (const compression of kinds) {
  const name = 'level' in compression ? `${compression.kind} -${compression.level}` : compression.kind
  test(`${name}: equal bytes on repeated and parallel runs, and however the input is cut`, async () => {
    const first = await collect(compress(compression, [content]))
    const others = await Promise.all([
      collect(compress(compression, [content])),
      collect(
        compress(
          compression,
          cut(content, (index) => (index * 31_337) % 200_001),
        ),
      ),
    ])
    for (const other of others) assert.ok(same(first, other))
  })
}

test('no content gives a valid empty stream', async () => {
  assert.is(gunzipSync(await collect(compress({ kind: 'gzip', level: 6 }, []))).length, 0)
  assert.is((await unzstd(await collect(compress({ kind: 'zstd', level: 6 }, [])))).length, 0)
})

tool('gzip: the gzip program and zlib read it; no name, no time', 'gzip', async () => {
  const bytes = await collect(compress({ kind: 'gzip', level: 9 }, [content]))
  assert.equal([...bytes.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0])
  execFileSync('gzip', ['-t'], { input: bytes })
  assert.ok(same(gunzipSync(bytes), content))
})

tool('zstd: the zstd program reads it: one frame, with a checksum', 'zstd', async () => {
  const bytes = await collect(compress({ kind: 'zstd', level: 19 }, [content]))
  assert.ok(same(execFileSync('zstd', ['-dc'], { input: bytes, maxBuffer: 64 << 20 }), content))
  assert.is(bytes.readUInt32LE(0), 0xfd2fb528)
  assert.is(bytes[4]! & 0x04, 0x04)
})

tool('zstd: frames of the zstd program, several in a row, skippable ones between', 'zstd', async () => {
  const frame = (...flags: string[]): Buffer =>
    execFileSync('zstd', [...flags, '-c'], { input: content, maxBuffer: 64 << 20 })
  const skippable = Buffer.from('5f2a4d1803000000616263', 'hex')
  const bytes = Buffer.concat([frame('-1', '--no-check'), skippable, frame('-5', '-T1', '--long=27')])
  assert.ok(same(await unzstd(bytes), Buffer.concat([content, content])))
  assert.is(await failure(unzstd(frame('-1', '--long=31'))), 'DECOMPRESS_CORRUPT')
})

test('zstd: limits and damage', async () => {
  const zeros = await collect(compress({ kind: 'zstd', level: 1 }, [Buffer.alloc(50_000_000)]))
  assert.ok(zeros.length < 20_000)
  assert.is((await unzstd(zeros, { outputBytes: 50_000_000 })).length, 50_000_000)
  assert.is(await failure(unzstd(zeros, { outputBytes: 49_999_999 })), 'DECOMPRESS_LIMIT')
  assert.is(await failure(unzstd(zeros.subarray(0, -1))), 'DECOMPRESS_CORRUPT')
  assert.is(await failure(unzstd(Buffer.alloc(0))), 'DECOMPRESS_CORRUPT')
  assert.is(await failure(unzstd(Buffer.concat([zeros, Buffer.from('junk')]))), 'DECOMPRESS_CORRUPT')
})

test('zstd: flipped and cut-off bytes give an error or other content within the limit (property)', async () => {
  const frame = await collect(compress({ kind: 'zstd', level: 3 }, [content.subarray(0, 20_000)]))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 3 }),
      fc.nat(frame.length),
      fc.boolean(),
      async (flips, length, short) => {
        const bytes = Buffer.from(frame)
        for (const [at, mask] of flips) bytes[at] = bytes[at]! ^ mask
        try {
          const output = await unzstd(short ? bytes.subarray(0, length) : bytes, { outputBytes: 1 << 20 })
          assert.ok(output.length <= 1 << 20)
        } catch (error) {
          assert.ok(isZosError(error) && error.code.startsWith('DECOMPRESS_'), String(error))
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('any content comes back (property)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 9 }), async (bytes, level) => {
      assert.ok(same(await unzstd(await collect(compress({ kind: 'zstd', level }, [bytes]))), bytes))
      assert.ok(same(gunzipSync(await collect(compress({ kind: 'gzip', level }, [bytes]))), bytes))
    }),
    { numRuns: 60 },
  )
})

test('levels out of range are errors', async () => {
  assert.is(await failure(collect(compress({ kind: 'zstd', level: 20 }, []))), 'ZSTD_SETTINGS')
  assert.is(await failure(collect(compress({ kind: 'gzip', level: 0 }, []))), 'GZIP_SETTINGS')
})

test('identities name versions', () => {
  assert.match(compressionIdentity('gzip'), /^pako \d+\.\d+\.\d+$/)
  assert.match(compressionIdentity('zstd'), /^zstd-napi \d+\.\d+\.\d+, libzstd \d+\.\d+\.\d+$/)
})

test.run()
