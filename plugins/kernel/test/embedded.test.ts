import { sha256 } from '@zos/core'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkEmbedded } from '../dist/embedded.js'

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const archive = Buffer.from(Array.from({ length: 64 }, (_, index) => sha256(`${index}`)).join(''))
const blob = { sha256: sha256(archive), size: archive.length }
const check = (kernel: Uint8Array, size: number) =>
  checkEmbedded(chunked(kernel, size), blob, archive.subarray(0, 1000))
const message = (promise: Promise<void>): Promise<string> =>
  promise.then(
    () => 'found',
    (error: Error) => error.message,
  )

test('property: the archive is found wherever it lies and however the kernel comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(5000), fc.nat(100), fc.integer({ min: 1, max: 3000 }), async (before, after, size) => {
      await check(Buffer.concat([Buffer.alloc(before, 7), archive, Buffer.alloc(after)]), size)
    }),
    { numRuns: 50 },
  )
})

test('one that is not there, is cut, or is another, is an error', async () => {
  assert.match(await message(check(Buffer.alloc(10_000), 777)), 'has no initramfs')
  assert.match(await message(check(archive.subarray(0, 4000), 777)), 'has a cut initramfs')
  const other = Buffer.from(archive)
  other[4095]! ^= 1
  assert.match(await message(check(other, 777)), 'has another initramfs')
  assert.match(await message(check(archive.subarray(10), 777)), 'has no initramfs')
})

test.run()
