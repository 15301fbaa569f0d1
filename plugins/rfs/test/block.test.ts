import { createDecipheriv, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isZosError } from '@zos/core'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blake2b256, blockSize, openBlock, sealBlock, sealedLimit, sealVersion } from '../dist/block.js'
import { BlockPool } from '../dist/block-pool.js'
import { cutBlocks } from '../dist/cut.js'
import { unpackSnappy } from './snappy-raw.js'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('BLAKE2b-256 as published, and not a longer digest cut short', () => {
  assert.is(hex(blake2b256(Buffer.from('abc'))), 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319')
  assert.is(hex(blake2b256(Buffer.of())), '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8')
  assert.is.not(hex(blake2b256(Buffer.from('abc'))), createHash('blake2b512').update('abc').digest('hex').slice(0, 64))
})

/** Opens a block by the description alone: no part of the codec but BLAKE2b. */
const byHand = (key: string, sealed: Uint8Array): Uint8Array => {
  const keyBytes = Buffer.from(key, 'hex')
  const decipher = createDecipheriv('aes-256-gcm', keyBytes, keyBytes.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(-16))
  return unpackSnappy(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]))
}

/** Blocks of text, noise and repetition, as files are. */
const mixed = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let at = 0, state = 1; at < size; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    const part = Math.floor(at / 5000) % 3
    bytes[at] = part === 0 ? state >> 16 : part === 1 ? 97 + (at % 26) : 0
  }
  return bytes
}

for (const size of [1, 2, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, blockSize - 1, blockSize])
  test(`a block of ${size} bytes opens by the description, and by ourselves`, () => {
    const plain = mixed(size)
    const { id, key, bytes } = sealBlock(plain)
    assert.is(key, hex(blake2b256(plain)))
    assert.is(id, hex(blake2b256(bytes)))
    assert.ok(bytes.length <= sealedLimit)
    assert.ok(Buffer.from(byHand(key, bytes)).equals(plain))
    assert.ok(Buffer.from(openBlock({ id, key }, bytes)).equals(plain))
  })

test('whatever is changed in a block is found', () => {
  const plain = mixed(3000)
  const { id, key, bytes } = sealBlock(plain)
  const fails = (block: { id: string; key: string }, sealed: Uint8Array): void => {
    let error: unknown
    try {
      openBlock(block, sealed)
    } catch (caught) {
      error = caught
    }
    assert.ok(isZosError(error) && error.code === 'BLOCK_DAMAGED', String(error))
  }
  for (const at of [0, 100, bytes.length - 1]) {
    const other = Uint8Array.from(bytes)
    other[at]! ^= 1
    fails({ id, key }, other)
    // With a fitting id the tag still tells.
    fails({ id: hex(blake2b256(other)), key }, other)
  }
  fails({ id, key }, bytes.subarray(0, -1))
  fails({ id, key }, Uint8Array.of())
  fails({ id: hex(blake2b256(Uint8Array.of(1, 2))), key }, Uint8Array.of(1, 2))
  fails({ id, key: hex(blake2b256(Uint8Array.of(1))) }, bytes)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      fails({ id: hex(blake2b256(noise)), key }, noise)
    }),
  )
})

test('threads give the same bytes as one, in any order of sizes', async () => {
  const pool = new BlockPool(2)
  try {
    const plains = Array.from({ length: 30 }, (_, i) => mixed(1 + ((i * 98_765) % blockSize)))
    const sealed = await Promise.all(plains.map((plain) => pool.seal(Uint8Array.from(plain))))
    for (const [at, plain] of plains.entries()) {
      const expected = sealBlock(plain)
      assert.is(sealed[at]!.id, expected.id)
      assert.ok(Buffer.from(sealed[at]!.bytes).equals(expected.bytes))
    }
    const opened = await Promise.all(sealed.map((block) => pool.open(block, block.bytes)))
    for (const [at, plain] of plains.entries()) assert.ok(Buffer.from(opened[at]!).equals(plain))
    const { id, key, bytes } = sealBlock(mixed(blockSize))
    bytes[5]! ^= 1
    const error = await pool.open({ id, key }, bytes).catch((caught: unknown) => caught)
    assert.ok(isZosError(error) && error.code === 'BLOCK_DAMAGED')
  } finally {
    await pool.close()
  }
})

test('content is cut every 524,288 bytes, however it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 8 }), async (sizes) => {
      const whole = mixed(sizes.reduce((a, b) => a + b, 0))
      const chunks: Uint8Array[] = []
      let at = 0
      for (const size of sizes) {
        chunks.push(whole.subarray(at, at + size))
        at += size
      }
      const blocks: Uint8Array[] = []
      for await (const block of cutBlocks(chunks)) blocks.push(block)
      assert.is(blocks.length, Math.ceil(whole.length / blockSize))
      for (const block of blocks.slice(0, -1)) assert.is(block.length, blockSize)
      assert.ok(Buffer.concat(blocks).equals(whole))
    }),
    { numRuns: 20 },
  )
})

test('the version that names the bytes is the encoder’s that is installed', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  assert.match(sealVersion, `snappy-${manifest.dependencies.snappy}`)
})

test.run()
