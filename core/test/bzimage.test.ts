import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { BZIMAGE_HEAD, readBzImage } from '../dist/format/bzimage.js'

const banner = '6.12.44-Zero-OS (builder@host) #1 SMP PREEMPT_DYNAMIC Thu Jan 1 00:00:00 UTC 1970'

/** The setup header by hand: 5 setup sectors, protocol 2.15, the version at 0x800. */
const sample = (text = banner): Buffer => {
  const bytes = Buffer.alloc(8192)
  bytes[0x1f1] = 5
  bytes.writeUInt16LE(0xaa55, 0x1fe)
  bytes.write('HdrS', 0x202)
  bytes.writeUInt16LE(0x20f, 0x206)
  bytes.writeUInt16LE(0x600, 0x20e)
  bytes.writeUInt16LE(0x7f, 0x236)
  bytes.writeUInt32LE(58_572_800, 0x260)
  bytes.write(`${text}\0`, 0x800)
  return bytes
}
const codeOf = (bytes: Uint8Array): string | undefined => {
  try {
    readBzImage(bytes)
  } catch (error) {
    return isZosError(error) ? error.code : `no ZosError: ${error}`
  }
  return undefined
}
const changed = (at: number, ...values: number[]): Buffer => {
  const bytes = sample()
  bytes.set(values, at)
  return bytes
}

test('release and header fields', () => {
  assert.equal(readBzImage(sample()), {
    banner,
    release: '6.12.44-Zero-OS',
    protocol: '2.15',
    is64Bit: true,
    initSize: 58_572_800,
  })
})

test('old protocols have fewer fields', () => {
  const { protocol, is64Bit, initSize } = readBzImage(changed(0x206, 0x02, 0x02))
  assert.equal([protocol, is64Bit, initSize], ['2.02', false, 0])
})

test('what is no bzImage, or lies about itself, is an error', () => {
  assert.is(codeOf(Buffer.alloc(8192)), 'BZIMAGE_FORMAT')
  assert.is(codeOf(Buffer.alloc(10)), 'BZIMAGE_TRUNCATED')
  assert.is(codeOf(changed(0x202, 0)), 'BZIMAGE_FORMAT')
  assert.is(codeOf(changed(0x206, 1, 2)), 'BZIMAGE_FORMAT')
  assert.is(codeOf(changed(0x20e, 0, 0)), 'BZIMAGE_FORMAT')
  assert.is(codeOf(changed(0x20e, 0, 0x20)), 'BZIMAGE_FORMAT')
  assert.is(codeOf(sample(' no release')), 'BZIMAGE_FORMAT')
  assert.is(codeOf(sample('6.12.\x1b[2J (x)')), 'BZIMAGE_FORMAT')
  assert.is(codeOf(sample('x'.repeat(600))), 'BZIMAGE_TRUNCATED')
  assert.is(codeOf(sample().subarray(0, 0x7ff)), 'BZIMAGE_TRUNCATED')
})

test('damage and truncation give an error or a value (property)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0x1f0, max: 0x900 }), fc.nat(255)), { maxLength: 6 }),
      fc.nat(8192),
      fc.boolean(),
      (writes, length, cut) => {
        const bytes = sample()
        for (const [at, value] of writes) bytes[at] = value
        const code = codeOf(cut ? bytes.subarray(0, length) : bytes)
        assert.ok(code === undefined || code.startsWith('BZIMAGE_'), code)
      },
    ),
    { numRuns: 3000 },
  )
})

const kernels = existsSync('/boot') ? readdirSync('/boot').filter((name) => name.startsWith('vmlinuz-')) : []
if (kernels.length > 0 && process.arch === 'x64' && spawnSync('file', ['--version']).status === 0) {
  test('installed kernels, as file(1) reads them', () => {
    for (const name of kernels) {
      const file = join('/boot', name)
      const { release } = readBzImage(readFileSync(file).subarray(0, BZIMAGE_HEAD))
      assert.match(spawnSync('file', ['-L', file], { encoding: 'utf8' }).stdout, `version ${release} `)
    }
  })
} else console.log('skip installed kernels: no /boot/vmlinuz-* for x86 here, or no file(1)')

test.run()
