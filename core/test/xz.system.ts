// time limit: 300 s
import { Buffer } from 'node:buffer'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { joinBlocks, parseXz, type XzBlock, xzHeader, xzTail } from '../dist/format/xz.js'
import { encodeXzBlock, xzIdentity } from '../dist/format/xz-encode.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-xz-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** Real machine code and text: the Node binary's own bytes. */
const content = readFileSync(process.execPath).subarray(1 << 20, (1 << 20) + 1_500_000)
const settings = { preset: 6 }
const encode = (bytes: Uint8Array, options: Parameters<typeof encodeXzBlock>[1] = settings): Promise<XzBlock> =>
  encodeXzBlock({ size: bytes.length, chunks: [bytes] }, options)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const hasXz = spawnSync('xz', ['--version']).status === 0
const judge = (name: string, run: () => void | Promise<void>): void => {
  if (hasXz) test(name, run)
  else console.log(`skip ${name}: no xz on this machine`)
}
const unxz = (bytes: Uint8Array): Buffer => execFileSync('xz', ['-dc'], { input: bytes, maxBuffer: 64 << 20 })
const list = (bytes: Uint8Array): string => {
  const file = join(folder, 'list.xz')
  writeFileSync(file, bytes)
  return execFileSync('xz', ['-lvv', '--robot', file], { encoding: 'utf8' })
}
const throwsCode = (code: string, run: () => unknown): void => {
  try {
    run()
  } catch (error) {
    assert.is(isZosError(error) && error.code, code, String(error))
    return
  }
  assert.unreachable(`expected ${code}`)
}
const rejectsCode = async (code: string, promise: Promise<unknown>): Promise<void> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.is(isZosError(error) && error.code, code, String(error))
}

test('one block: sizes are those of the index, bytes are a multiple of 4', async () => {
  const block = await encode(content)
  assert.is(block.uncompressedSize, content.length)
  assert.is(block.bytes.length, Math.ceil(block.unpaddedSize / 4) * 4)
  assert.equal(block.filters, [0x21])
})

test('equal bytes on repeated and parallel runs, and however the input is cut', async () => {
  const first = await encode(content)
  const [second, third] = await Promise.all([encode(content), encode(content)])
  const pieces: Uint8Array[] = []
  for (let at = 0, step = 1; at < content.length; at += step, step = (step * 7) % 100_003) {
    pieces.push(content.subarray(at, at + step))
  }
  const cut = await encodeXzBlock({ size: content.length, chunks: pieces }, settings)
  for (const other of [second, third, cut]) assert.ok(same(first.bytes, other.bytes))
})

test('an input full of YZ is as quick as any', async () => {
  const bytes = Buffer.alloc(1 << 20, 'YZ')
  const before = process.hrtime.bigint()
  await encode(bytes)
  assert.ok(process.hrtime.bigint() - before < 5_000_000_000n)
})

test('every preset gives what liblzma gives for it', async () => {
  interface Lzma {
    createStream(coder: string, options: object): NodeJS.ReadWriteStream
    FILTER_LZMA2: string
    CHECK_CRC32: number
  }
  const lzma = createRequire(import.meta.url)('lzma-native') as Lzma
  const input = content.subarray(0, 60_000)
  for (let preset = 0; preset <= 9; preset++) {
    const encoder = lzma.createStream('streamEncoder', {
      filters: [{ id: lzma.FILTER_LZMA2, options: { preset } }],
      check: lzma.CHECK_CRC32,
    })
    const parts: Buffer[] = []
    encoder.end(input)
    for await (const part of encoder) parts.push(part as Buffer)
    assert.ok(same(joinBlocks([await encode(input, { preset })]), Buffer.concat(parts)), `preset ${preset}`)
  }
})

test('input and settings out of range are errors', async () => {
  await rejectsCode('XZ_BLOCK_SIZE', encode(new Uint8Array(0)))
  await rejectsCode('XZ_BLOCK_SIZE', encodeXzBlock({ size: 5, chunks: [new Uint8Array(4)] }, settings))
  await rejectsCode('XZ_BLOCK_SIZE', encodeXzBlock({ size: 5, chunks: [new Uint8Array(6)] }, settings))
  await rejectsCode('XZ_SETTINGS', encode(content, { preset: 10 }))
  await rejectsCode('XZ_SETTINGS', encode(content, { preset: 6, dictSize: 100 }))
  const broken = async function* () {
    yield content.subarray(0, 70_000)
    throw new Error('the source broke')
  }
  try {
    await encodeXzBlock({ size: content.length, chunks: broken() }, settings)
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), 'the source broke')
  }
})

test('the identity names both versions', () => {
  assert.match(xzIdentity(), /^lzma-native \d+\.\d+\.\d+, liblzma \d+\.\d+\.\d+$/)
})

judge('joined blocks pass xz -t, unpack to the content, and are listed as blocks', async () => {
  const cuts = [0, 700_000, 700_001, content.length]
  const parts = cuts.slice(1).map((end, index) => content.subarray(cuts[index], end))
  const blocks = await Promise.all(parts.map((part) => encode(part)))
  const stream = joinBlocks(blocks)
  execFileSync('xz', ['-t'], { input: stream })
  assert.ok(same(unxz(stream), content))
  assert.is(list(stream).match(/^block\t/gm)?.length, 3)
  assert.match(list(stream), /^totals\t1\t3\t\d+\t1500000\t/m)
  const parsed = parseXz(stream)
  assert.is(parsed.check, 'crc32')
  for (const [index, { bytes, ...sizes }] of parsed.blocks.entries()) {
    const { bytes: original, ...expected } = blocks[index]!
    assert.equal(sizes, expected)
    assert.ok(same(bytes, original))
  }
  const whole = Buffer.concat([xzHeader(), ...blocks.map((block) => block.bytes), xzTail(blocks)])
  assert.ok(same(whole, stream))
})

judge('no blocks, tiny and incompressible blocks', async () => {
  assert.is(unxz(joinBlocks([])).length, 0)
  const noise = Buffer.from(await encode(content).then((block) => block.bytes))
  const parts = [Buffer.from('a'), noise, Buffer.from('\n')]
  const stream = joinBlocks(await Promise.all(parts.map((part) => encode(part))))
  assert.ok(same(unxz(stream), Buffer.concat(parts)))
})

judge('a dictionary of its own size', async () => {
  const stream = joinBlocks([await encode(content, { preset: 6, dictSize: 1 << 20 })])
  assert.match(list(stream), '--lzma2=dict=1MiB')
  assert.ok(same(unxz(stream), content))
})

judge('streams of the xz program: blocks, checks, filters as xz -l lists them', () => {
  for (const [flags, check, filters] of [
    [['--check=none'], 'none', [0x21]],
    [['--check=crc64', '--block-size=500000', '-T2'], 'crc64', [0x21]],
    [['--check=sha256', '--x86', '--lzma2=preset=1'], 'sha256', [0x04, 0x21]],
  ] as const) {
    const bytes = execFileSync('xz', [...flags, '-c'], { input: content, maxBuffer: 64 << 20 })
    const parsed = parseXz(bytes)
    assert.is(parsed.check, check)
    const listed = [...list(bytes).matchAll(/^block\t\d+\t\d+\t\d+\t(\d+)\t\d+\t(\d+)\t(\d+)/gm)]
    assert.equal(
      parsed.blocks.map((block) => [block.bytes.length, block.uncompressedSize]),
      listed.map(([, , total, size]) => [Number(total), Number(size)]),
    )
    for (const block of parsed.blocks) assert.equal(block.filters, filters)
  }
})

judge('two streams, padding after a stream, other bytes: errors', async () => {
  const stream = joinBlocks([await encode(content.subarray(0, 5000))])
  throwsCode('XZ_FORMAT', () => parseXz(Buffer.concat([stream, stream])))
  throwsCode('XZ_FORMAT', () => parseXz(Buffer.concat([stream, Buffer.alloc(4)])))
  throwsCode('XZ_FORMAT', () => parseXz(Buffer.from('PK not an xz stream at all, but long enough')))
})

test('sizes survive join and parse (property)', async () => {
  const one = await encode(content.subarray(0, 3000))
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), (count) => {
      const parsed = parseXz(joinBlocks(new Array<XzBlock>(count).fill(one)))
      assert.is(parsed.blocks.length, count)
      assert.ok(parsed.blocks.every((block) => same(block.bytes, one.bytes)))
    }),
    { numRuns: 30 },
  )
})

test('damage and truncation give XZ_FORMAT or a value (property)', async () => {
  const blocks = await Promise.all([encode(content.subarray(0, 300)), encode(content.subarray(300, 500))])
  const stream = joinBlocks(blocks)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(stream.length - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
      fc.nat(stream.length),
      fc.boolean(),
      (flips, length, cut) => {
        const bytes = Buffer.from(stream)
        for (const [at, mask] of flips) bytes[at] = bytes[at]! ^ mask
        try {
          parseXz(cut ? bytes.subarray(0, length) : bytes)
        } catch (error) {
          assert.is(isZosError(error) && error.code, 'XZ_FORMAT', String(error))
        }
      },
    ),
    { numRuns: 3000 },
  )
  for (let length = 0; length < stream.length; length++)
    throwsCode('XZ_FORMAT', () => parseXz(stream.subarray(0, length)))
})

test.run()
