import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareVersions, isVersion } from '../dist/format/version.js'
import { RealApk } from './real-apk.js'

const sign = (a: string, b: string): string => {
  const order = compareVersions(a, b)
  return order < 0 ? '<' : order > 0 ? '>' : '='
}

/** Lines `older newer`. */
const rising = `
1.0 1.1
1.9 1.10
1.2.3 1.2.4
1.2 1.2.3
1.0_alpha 1.0_beta
1.0_beta 1.0_pre
1.0_pre 1.0_rc
1.0_rc 1.0
1.0_rc1 1.0_rc2
1.0_rc9 1.0_rc10
1.0 1.0_cvs
1.0_cvs 1.0_svn
1.0_svn 1.0_git
1.0_git 1.0_hg
1.0_hg 1.0_p
1.0_p1 1.0_p2
1.0_alpha1 1.0
1.0 1.0-r1
1.0-r1 1.0-r2
1.0-r9 1.0-r10
1.0a 1.0b
1.0 1.0a
1.0a 1.1
1.05 1.5
1.005 1.05
1.0.1 1.1
0.1.0_alpha 0.1.0_alpha2
2.0_git20200101 2.0_git20210101
1.0_rc1-r5 1.0-r0
1.0_p1 1.0_p1-r1
20200101 20200102
99999999999999998 99999999999999999
1.0_alpha_pre 1.0_alpha
`
  .trim()
  .split('\n')

test('versions in rising order', () => {
  for (const line of rising) {
    const [older, newer] = line.split(' ') as [string, string]
    assert.is(sign(older, newer), '<', line)
    assert.is(sign(newer, older), '>', line)
    assert.is(sign(older, older), '=')
  }
})

test('what is no version', () => {
  for (const text of ['1.0', '1', '1.2.3a', '1_p1', '1.0_rc1-r0', '0', '1.0a_p2-r11']) assert.ok(isVersion(text), text)
  for (const text of ['1.0-1', '1.0_foo', '1.0-rc1', '1.0A', '1.0+x', '1:2', '1.0_p1.1'])
    assert.not.ok(isVersion(text), text)
})

test('a fuzzy version is equal to what it begins with', () => {
  assert.is(compareVersions('3.6.9', '3.6', true), 0)
  assert.is(compareVersions('3.6_pre1', '3.6', true), 0)
  assert.is(compareVersions('3.6.9-r2', '3.6', true), 0)
  assert.ok(compareVersions('3.7', '3.6', true) > 0)
  assert.ok(compareVersions('3.60', '3.6', true) > 0)
})

const part = fc.oneof(
  fc.constantFrom('.', '_', '-r', 'a', 'z', '0', '00', '_alpha', '_rc', '_p', '_git', '-', '1', '12', '007', '.0'),
  fc.nat({ max: 3000 }).map(String),
)
const versionLike = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(''))
const sound = fc
  .tuple(
    fc.array(fc.nat({ max: 300 }).map(String), { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', 'a', 'q'),
    fc.constantFrom('', '_alpha', '_beta2', '_rc1', '_git20240101', '_p3', '_p1_rc2'),
    fc.constantFrom('', '-r0', '-r1', '-r12'),
  )
  .map(([numbers, letter, suffix, revision]) => `${numbers.join('.')}${letter}${suffix}${revision}`)

test('whatever text comes, an order comes out, and the other way round it is the reverse', () => {
  fc.assert(
    fc.property(fc.oneof(versionLike, fc.string()), fc.oneof(versionLike, fc.string()), (a, b) => {
      assert.ok(Number.isInteger(compareVersions(a, b)))
      assert.is(Math.sign(compareVersions(a, b)), 0 - Math.sign(compareVersions(b, a)))
      assert.is(compareVersions(a, a), 0)
    }),
    { numRuns: 2000 },
  )
})

test('sound versions are in one order', () => {
  fc.assert(
    fc.property(fc.array(sound, { minLength: 3, maxLength: 3 }), ([a, b, c]) => {
      assert.ok(isVersion(a!))
      if (compareVersions(a!, b!) <= 0 && compareVersions(b!, c!) <= 0) assert.ok(compareVersions(a!, c!) <= 0)
    }),
    { numRuns: 2000 },
  )
})

const judge = RealApk.find()

test('the real apk has the same order', () => {
  if (typeof judge === 'string') {
    console.log(`skip version order by the real apk: ${judge}`)
    return
  }
  const texts = [...new Set(fc.sample(fc.oneof(versionLike, sound), { numRuns: 240, seed: 7 }))]
  const valid = judge.run(['version', '-c', '-'], `${texts.join('\n')}\n`)
  const bad = new Set(valid.stdout.split('\n'))
  const checked = judge.run(['version', '-c', ...texts.filter((text) => !text.startsWith('-'))])
  for (const line of checked.stdout.split('\n')) bad.add(line)
  for (const text of texts.filter((one) => !one.startsWith('-')))
    assert.is(isVersion(text), !bad.has(text), `apk version -c ${text}`)
  const usable = texts.filter((text) => !text.startsWith('-'))
  const pairs = usable.slice(1).map((text, index) => [usable[index]!, text] as const)
  const script = pairs.map(([a, b]) => `/sbin/apk version -t '${a}' '${b}'`).join('\n')
  const found = judge.exec(['/bin/sh', '-c', script], judge.root).stdout.trim().split('\n')
  assert.is(found.length, pairs.length)
  for (const [index, [a, b]] of pairs.entries()) assert.is(sign(a, b), found[index], `${a} ${b}`)
})

test.run()
