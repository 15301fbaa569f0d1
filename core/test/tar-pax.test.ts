import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parsePax, paxRecord } from '../dist/format/pax.js'

const records = (text: string | Uint8Array) => {
  const parsed = parsePax(Buffer.from(text as Uint8Array))
  return 'problem' in parsed
    ? parsed.problem
    : [...parsed].map(([key, value]) => [key, Buffer.from(value).toString('latin1')])
}

test('the length counts itself', () => {
  assert.is(Buffer.from(paxRecord('path', 'a')).toString(), '9 path=a\n')
  assert.is(Buffer.from(paxRecord('path', 'ab')).toString(), '11 path=ab\n')
  assert.is(paxRecord('path', 'x'.repeat(90)).length, 99)
  assert.is(paxRecord('path', 'x'.repeat(91)).length, 101)
})

test('values are bytes: newlines, equal signs and NULs belong to them', () => {
  assert.equal(records('11 k=a=b\n\0\n'), [['k', 'a=b\n\0']])
  assert.equal(records(Buffer.from('10 path=a\n7 x=\xff\xfe\n', 'latin1')), [
    ['path', 'a'],
    ['x', 'ÿþ'],
  ])
})

for (const [what, text, problem] of [
  ['no length', 'path=a\n', /length at its byte 0/],
  ['a length beyond the end', '99 path=a\n', /length at its byte 0/],
  ['a length of a hundred digits', `${'9'.repeat(100)} path=a\n`, /length at its byte 0/],
  ['a length that is too short', '10 path=a\n2 \n', /length at its byte 10|newline/],
  ['a zero length', '0 a=b\n', /length at its byte 0/],
  ['no newline at the end', '9 path=ab', /newline/],
  ['no keyword', '5 =a\n', /keyword/],
  ['no equal sign', '7 path\n', /keyword/],
] as const) {
  test(`refuses ${what}`, () => assert.match(records(text) as string, problem))
}

test('what is written is what is read, for any bytes', () => {
  const keyword = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((key) => !/[=\n\0]/.test(key))
  fc.assert(
    fc.property(fc.dictionary(keyword, fc.uint8Array({ maxLength: 300 })), (wanted) => {
      const parsed = parsePax(Buffer.concat(Object.entries(wanted).map(([key, value]) => paxRecord(key, value))))
      if ('problem' in parsed) throw new Error(parsed.problem)
      for (const [key, value] of Object.entries(wanted))
        assert.equal(Buffer.from(parsed.get(key) ?? []), Buffer.from(value))
      assert.is(parsed.size, Object.keys(wanted).length)
    }),
  )
})

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parsePax(bytes)))
  fc.assert(fc.property(fc.stringMatching(/^[0-9 =a\n]{0,60}$/), (text) => void parsePax(Buffer.from(text))))
})

test.run()
