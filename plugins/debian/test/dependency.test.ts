import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatAlternatives, parseDependency, parseProvides, versionAnswers } from '../dist/control/dependency.js'

const context = { subject: 'tool 1.0, Depends' }
const parse = (text: string, architecture?: string) =>
  parseDependency(text, { ...context, ...(architecture && { architecture }) })

test('alternatives, versions and qualifiers', () => {
  assert.equal(parse('libc6 (>= 2.36), a | b:any (<<1.0)|c:native ,\n d (= 1:2-3)'), [
    [{ name: 'libc6', operator: '>=', version: '2.36' }],
    [
      { name: 'a' },
      { name: 'b', qualifier: 'any', operator: '<<', version: '1.0' },
      { name: 'c', qualifier: 'native' },
    ],
    [{ name: 'd', operator: '=', version: '1:2-3' }],
  ])
  assert.equal(parse('old (< 1), older (> 2)').map(formatAlternatives), ['old (<= 1)', 'older (>= 2)'])
  assert.equal(parse(''), [])
  assert.equal(parse('a,, b,').map(formatAlternatives), ['a', 'b'])
})

test('architectures and build profiles', () => {
  const names = (text: string) =>
    parse(text, 'amd64')
      .flat()
      .map(({ name }) => name)
  assert.equal(names('a [amd64], b [arm64 i386], c [!amd64], d [!arm64], e [any], f [any-amd64]'), ['a', 'd', 'e', 'f'])
  assert.equal(names('a <!nocheck>, b <stage1>, c <stage1> <!cross>, d <!nocheck !cross>'), ['a', 'c', 'd'])
  assert.equal(names('a [arm64] | b'), ['b'])
})

test('provided names may have one version', () => {
  assert.equal(parseProvides('mta, perlapi-5.36 (= 5.36.0)', context), [
    { name: 'mta' },
    { name: 'perlapi-5.36', version: '5.36.0' },
  ])
  assert.match(errorOf(() => parseProvides('a (>= 1)', context)).message, /provides one version/)
  assert.match(errorOf(() => parseProvides('a | b', context)).message, /provides no alternatives/)
})

test('a version answers a relation; nothing answers a versioned one without a version', () => {
  const [[relation]] = parse('a (>= 2)') as [[Parameters<typeof versionAnswers>[0]]]
  assert.ok(versionAnswers(relation, '2'))
  assert.not(versionAnswers(relation, '1'))
  assert.not(versionAnswers(relation, undefined))
  assert.ok(versionAnswers({ name: 'a' }, undefined))
})

test('errors name the subject and the term', () => {
  for (const text of ['a (>= )', 'a (~ 1)', 'a b', '(>= 1)', 'a (>= 1', 'a (>= 1_2)', 'a |', 'a [amd64'])
    assert.match(errorOf(() => parse(text)).message, /^tool 1\.0, Depends: '/, text)
})

const relation = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,10}$/),
    fc.constantFrom('', ':any', ':arm64'),
    fc.constantFrom('', ' (>= 1.0)', ' (= 2:3-4)', ' (<< 0~)'),
  )
  .map((parts) => parts.join(''))
const groups = fc.array(fc.array(relation, { minLength: 1, maxLength: 3 }), { maxLength: 5 })

test('property: what is written reads back, whatever the blanks', () => {
  fc.assert(
    fc.property(groups, fc.constantFrom('', ' ', '\n '), (wanted, blank) => {
      const text = wanted.map((group) => group.join(`${blank}|${blank}`)).join(`${blank},${blank}`)
      assert.equal(
        parse(text).map(formatAlternatives),
        wanted.map((group) => group.join(' | ')),
      )
    }),
  )
})

test('property: any text gives groups or a ZosError, soon', () => {
  const parts = fc.array(
    fc.constantFrom('a', ' ', ',', '|', '(', ')', '>=', '<', '1', ':', 'any', '[', ']', '!', '\n'),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(parts, (text) => void survives(() => parse(text.join(''), 'amd64'))),
    { numRuns: 3000 },
  )
  const started = performance.now()
  survives(() => parse(`a${' '.repeat(200_000)}(`))
  survives(() => parse(`a ${'<!x> '.repeat(40_000)}!`))
  assert.ok(performance.now() - started < 2000, 'the time must not grow with the square of the length')
})

test.run()
