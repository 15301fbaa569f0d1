import { errorOf, survives } from '@zos/core/testing'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dependencyText, parseDependency, readDependency, versionFits } from '../dist/format/dependency.js'
import { type IndexEntry, indexEntryText, parseIndex } from '../dist/format/index-text.js'
import { parsePkginfo, pkginfoText } from '../dist/format/pkginfo.js'

const checksum = 'Q1s+0ABSdjudKn+n+ccJIUrG93mAk='
const sample = `C:${checksum}
P:musl
V:1.2.5-r0
A:x86_64
S:407468
I:667648
T:the musl c library
U:https://musl.libc.org/
L:MIT
o:musl
m:A. Person <a@example.org>
t:1710503016
c:4fe5bdbe
k:10
D:!uclibc-utils
p:so:libc.musl-x86_64.so.1=1
i:docs base=1-r0
x:a field of the future

`

const word = fc.stringMatching(/^[a-z0-9][a-z0-9._+-]{0,12}$/)
const line = fc.string({ maxLength: 40 }).map((text) => text.replace(/[\n\r]/g, ' ').trim())
const words = fc.array(word, { maxLength: 4 }).map((all) => all.join(' '))
const number = fc.nat({ max: 2 ** 40 })
const entry: fc.Arbitrary<IndexEntry> = fc.record({
  name: word,
  version: word,
  arch: fc.constantFrom('x86_64', 'noarch'),
  checksum: fc.constantFrom(checksum, `Q2${'A'.repeat(43)}=`),
  size: number,
  installedSize: number,
  description: line,
  url: line,
  license: line,
  origin: word,
  maintainer: line,
  commit: word,
  buildDate: number,
  providerPriority: fc.nat({ max: 1000 }),
  depends: words,
  provides: words,
  installIf: words,
})

test('an index is read field by field, fields of the future are passed over', () => {
  const [musl, more] = parseIndex(sample, 'index')
  assert.is(more, undefined)
  assert.is(musl?.name, 'musl')
  assert.is(musl?.buildDate, 1710503016)
  assert.is(musl?.providerPriority, 10)
  assert.is(musl?.installIf, 'docs base=1-r0')
  assert.is(musl?.provides, 'so:libc.musl-x86_64.so.1=1')
})

test('a package with an unknown upper-case field cannot be installed, and is left out', () => {
  assert.equal(parseIndex(sample.replace('x:', 'X:'), 'index'), [])
})

test('entries are read back as they were written', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const copies = entries.map((one) => ({ ...one }))
      assert.equal(parseIndex(copies.map(indexEntryText).join(''), 'index'), copies)
    }),
  )
})

test('errors of an index name file and line', () => {
  const cases: [string, RegExp][] = [
    [sample.replace('S:407468', 'S:many'), /^index, line 5: 'many' is no number/],
    [sample.replace('A:x86_64', 'A;x86_64'), /^index, line 4: 'A;x86_64' is no 'X:value'/],
    [sample.replace('P:musl', 'P:../musl'), /'\.\.\/musl' is no name/],
    [sample.replace('V:1.2.5-r0', 'V:1/2'), /'1\/2' is no version/],
    [sample.replace(checksum, 'Q1abc'), /'Q1abc' is no checksum/],
  ]
  for (const [text, expected] of cases) {
    const { code, message } = errorOf(() => parseIndex(text, 'index'))
    assert.is(code, 'APK_INDEX')
    assert.match(message, expected)
  }
})

test('whatever text comes, entries or a ZosError come out', () => {
  const mutated = fc
    .tuple(fc.nat({ max: sample.length }), fc.string({ maxLength: 5 }))
    .map(([at, text]) => sample.slice(0, at) + text + sample.slice(at + 1))
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 300 }), mutated), (text) => {
      survives(() => parseIndex(text, 'index'))
      survives(() => parsePkginfo(Buffer.from(text), 'package'))
    }),
    { numRuns: 1000 },
  )
})

test('.PKGINFO: lists, numbers, comments, and what is malformed', () => {
  const text =
    '# made\npkgname = a\npkgver = 1-r0\narch = x86_64\nurl =\nsize = 12\ndepend = b>1\ndepend = !c\ntriggers = /a /b\n'
  const info = parsePkginfo(Buffer.from(text), 'a')
  assert.equal(info.depends, ['b>1', '!c'])
  assert.equal(info.triggers, ['/a', '/b'])
  assert.is(info.size, 12)
  const { url, ...rest } = info
  assert.is(url, '')
  assert.equal(parsePkginfo(Buffer.from(pkginfoText(info)), 'a'), rest)
  assert.match(errorOf(() => parsePkginfo(Buffer.from('pkgname = a\nnonsense\n'), 'a')).message, /line 2: 'nonsense'/)
  assert.match(errorOf(() => parsePkginfo(Buffer.from('pkgname = a\npkgver = 1\n'), 'a')).message, /says no arch/)
})

test('dependencies: every operator, conflicts, tags, names with colons and slashes', () => {
  const fits = (text: string, version: string | undefined): boolean =>
    versionFits(parseDependency(text, 'test'), version, checksum)
  const cases: [string, string | undefined, boolean][] = [
    ['a', undefined, true],
    ['a=1.0', '1.0', true],
    ['a=1.0', undefined, false],
    ['a<1.1', '1.0', true],
    ['a<=1.0', '1.0', true],
    ['a>1.0', '1.0', false],
    ['a>=1.0', '1.0-r1', true],
    ['a~1.0', '1.0.7-r2', true],
    ['a=~1.0', '1.0.7', true],
    ['a~1.0', '1.1', false],
    ['a>~1.0', '1.1', true],
    ['a<~1.0', '0.9', true],
    [`a><${checksum}`, '1', true],
    [`a><Q1xx`, '1', false],
    ['so:libc.musl-x86_64.so.1', '1', true],
    ['/bin/sh', undefined, true],
  ]
  for (const [text, version, expected] of cases) assert.is(fits(text, version), expected, `${text} ${version}`)
  const tagged = parseDependency('!a@edge>=1.0', 'test')
  assert.equal([tagged.name, tagged.conflict, tagged.tag, tagged.version], ['a', true, 'edge', '1.0'])
  for (const text of ['', 'a b', 'a=', '=1', 'a=1=2', 'a@', 'a=1.0_foo', '!'])
    assert.is(readDependency(text), undefined, text)
  const { code, message } = errorOf(() => parseDependency('a==', 'config/packages.list:3'))
  assert.is(code, 'APK_DEPENDENCY')
  assert.match(message, /^config\/packages\.list:3: 'a=='/)
})

test('a dependency is written as it was read', () => {
  const parts = fc.tuple(
    fc.constantFrom('', '!'),
    word,
    fc.constantFrom('', '@edge'),
    fc.constantFrom('', '=1.0', '<2', '<=2', '>3.1', '>=3.1-r0', '~4.2', '>~4', '<~4'),
  )
  fc.assert(
    fc.property(parts, (all) => {
      assert.is(dependencyText(parseDependency(all.join(''), 'test')), all.join(''))
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => void survives(() => readDependency(text))),
    { numRuns: 1000 },
  )
})

test.run()
