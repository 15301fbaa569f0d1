import { gzipSync } from 'node:zlib'
import { errorOf, survives } from '@zos/core/testing'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gzipMembers } from '../dist/format/gzip-members.js'

const most = 1024 ** 2
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

test('members come apart as they were put together, whatever their content', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 5 }), (contents) => {
      const parts = contents.map((content) => gzipSync(content))
      const members = gzipMembers(Buffer.concat(parts), 8, most, 'file')
      assert.equal(
        members.map(({ content }) => text(content)),
        contents.map(text),
      )
      assert.equal(
        members.map(({ compressed }) => text(compressed)),
        parts.map(text),
      )
    }),
  )
})

test('headers with a name, a comment, extra bytes and a checksum are passed over', () => {
  const plain = gzipSync('content')
  const header = Buffer.from([0x1f, 0x8b, 8, 0x02 | 0x04 | 0x08 | 0x10, 0, 0, 0, 0, 0, 3])
  const fields = Buffer.concat([Buffer.from([2, 0, 9, 9]), Buffer.from('name\0comment\0'), Buffer.from([1, 2])])
  const [member] = gzipMembers(Buffer.concat([header, fields, plain.subarray(10)]), 1, most, 'file')
  assert.is(text(member!.content), 'content')
})

test('damage, a cut and anything else is an error that names the file and the place', () => {
  const good = Buffer.concat([gzipSync('one'), gzipSync('two')])
  const second = gzipSync('one').length
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /file, byte 0: an empty file/],
    [good.subarray(0, second + 5), new RegExp(`byte ${second}: no gzip header`)],
    [good.subarray(0, good.length - 3), /without its trailer/],
    [Buffer.concat([good, Buffer.from('rest')]), /no gzip header/],
    [
      Buffer.concat([good.subarray(0, good.length - 6), Buffer.from([1, 2, 3, 4, 5, 6])]),
      /checksum or length is wrong/,
    ],
  ]
  for (const [bytes, expected] of cases) {
    const { code, message } = errorOf(() => gzipMembers(bytes, 8, most, 'file'))
    assert.is(code, 'GZIP_MEMBER')
    assert.match(message, expected)
  }
})

test('limits: bytes of content, and members', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 ** 2))
  assert.match(errorOf(() => gzipMembers(bomb, 8, most, 'bomb')).message, /more than 1048576 bytes/)
  const many = Buffer.concat(Array.from({ length: 9 }, () => gzipSync('x')))
  assert.match(errorOf(() => gzipMembers(many, 8, most, 'many')).message, /more than 8 gzip members/)
})

test('whatever bytes come, members or a ZosError come out', () => {
  const good = Buffer.concat([gzipSync('one'.repeat(50)), gzipSync('two')])
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
          const bytes = Uint8Array.from(good)
          bytes[at] = byte
          return bytes
        }),
      ),
      (bytes) => {
        survives(() => gzipMembers(bytes, 8, most, 'file'))
      },
    ),
    { numRuns: 1000 },
  )
})

test.run()
