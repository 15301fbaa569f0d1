import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Deb822Reader, fieldOf, formatStanza, parseDeb822, type Stanza } from '../dist/control/deb822.js'
import { aptLists, readList, skip } from './host.js'

const parse = (text: string, options: { fields?: string[]; comments?: boolean } = {}) =>
  parseDeb822(text, { file: 'control', ...options }).map(({ line, fields }) => ({
    line,
    ...Object.fromEntries(fields),
  }))

test('paragraphs, continuations and their lines', () => {
  assert.equal(parse('Package: a\nDescription: short\n long\n .\n  indented\n\n\n\nPackage:b\nEmpty:\n'), [
    { line: 1, Package: 'a', Description: 'short\nlong\n.\n indented' },
    { line: 9, Package: 'b', Empty: '' },
  ])
  assert.equal(parse('\n\nA: 1'), [{ line: 3, A: '1' }])
  assert.equal(parse('A: 1\r\n \t\r\nB: 2\r\n'), [
    { line: 1, A: '1' },
    { line: 3, B: '2' },
  ])
  assert.equal(parse(''), [])
})

test('only wanted fields are kept, whatever their spelling', () => {
  assert.equal(parse('package: a\nTag: x\n y\nVERSION: 1\n', { fields: ['Package', 'Version'] }), [
    { line: 1, Package: 'a', Version: '1' },
  ])
  const [stanza] = parseDeb822('signed-by: x\n', { file: 'f' })
  assert.is(fieldOf(stanza!, 'Signed-By'), 'x')
})

test('values are UTF-8', () => {
  assert.equal(parse('Maintainer: Jörg ✓\n ä\n'), [{ line: 1, Maintainer: 'Jörg ✓\nä' }])
})

test('comments only where they are allowed', () => {
  assert.equal(parse('# one\nA: 1\n# two\n more\n', { comments: true }), [{ line: 2, A: '1\nmore' }])
  assert.match(errorOf(() => parse('# one\nA: 1\n')).message, /control:1: '# one'/)
})

test('errors name file and line', () => {
  const cases: [string, RegExp][] = [
    ['A: 1\nnonsense\n', /control:2: 'nonsense' is no 'Name: value'/],
    [' x\n', /control:1: a continuation line follows no field/],
    ['A: 1\n\n x\n', /control:3: a continuation line follows no field/],
    ['A: 1\nB: 2\nA: 3\n', /control:3: the field A is there twice/],
    ['A: 1\na: 3\n', /control:2: the field a is there twice/],
    ['A b: 1\n', /control:1: 'A b' is no field name/],
    [': 1\n', /control:1: '' is no field name/],
    ['-A: 1\n', /control:1: '-A' is no field name/],
    ['A: \u0000\n', /control:1: the value has a control character/],
  ]
  for (const [text, message] of cases) {
    const error = errorOf(() => parse(text))
    assert.is(error.code, 'DEBIAN_CONTROL')
    assert.match(error.message, message)
  }
  assert.match(
    errorOf(() => parseDeb822(Buffer.from([0x41, 0x3a, 0xff, 0x0a]), { file: 'control' })).message,
    /control:1: the value is not UTF-8/,
  )
})

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
const line = fc.stringMatching(/^[!-~äö€]([ -~äö€]{0,30}[!-~äö€])?$/)
const value = fc
  .tuple(fc.option(line, { nil: '' }), fc.array(line, { maxLength: 3 }))
  .map(([first, more]) => [first, ...more].join('\n'))
const paragraph = fc.uniqueArray(fc.tuple(name, value), {
  minLength: 1,
  maxLength: 6,
  selector: ([field]) => field.toLowerCase(),
})

const cut = (bytes: Uint8Array, at: readonly number[]): Uint8Array[] => {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

test('property: what is written reads back, in pieces of any size', () => {
  fc.assert(
    fc.property(fc.array(paragraph, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 8 }), (paragraphs, at) => {
      const bytes = Buffer.from(paragraphs.map((fields) => `${formatStanza(fields)}\n`).join(''))
      const reader = new Deb822Reader({ file: 'control' })
      const found: Stanza[] = []
      for (const piece of cut(bytes, at)) found.push(...reader.push(piece))
      found.push(...reader.end())
      assert.equal(
        found.map(({ fields }) => [...fields]),
        paragraphs,
      )
      assert.equal(
        found.map((stanza) => stanza.line),
        parse(bytes.toString()).map((stanza) => stanza.line),
      )
    }),
    { numRuns: 500 },
  )
})

test('property: any bytes give paragraphs or a ZosError', () => {
  const text = fc.array(fc.constantFrom('A: 1\n', 'B:', '\n', ' ', '\t', ':', '#', 'ä', '\u0000', '\r\n', 'xyz'), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(text, (parts) => void survives(() => parse(parts.join('')))),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void survives(() => parseDeb822(bytes, { file: 'f' }))),
  )
})

test('a value with a blank line cannot be written', () => {
  assert.match(errorOf(() => formatStanza([['A', 'x\n\ny']])).message, /the value of A has a blank line/)
})

const bytes = aptLists('_Packages')
  .flatMap((path) => readList(path) ?? [])
  .sort((a, b) => b.length - a.length)[0]
if (!bytes) skip('a whole Packages file', 'apt has no lists; run apt-get update')
else
  test('a whole Packages file is read in seconds', () => {
    const started = performance.now()
    const stanzas = parseDeb822(bytes, {
      file: 'Packages',
      fields: ['Package', 'Version', 'Depends', 'Filename', 'SHA256'],
    })
    const seconds = (performance.now() - started) / 1000
    assert.is(
      stanzas.length,
      bytes.toString('latin1').split('\nPackage: ').length -
        1 +
        (bytes.toString('latin1', 0, 9) === 'Package: ' ? 1 : 0),
    )
    assert.ok(seconds < 5, `${stanzas.length} paragraphs took ${seconds.toFixed(1)} s`)
  })

test.run()
