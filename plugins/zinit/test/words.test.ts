import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fromShell, joinWords, plainWords, splitWords, toShell } from '../dist/words.js'

const table: [string, string[]][] = [
  ['', []],
  ['  a  b ', ['a', 'b']],
  [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
  [`a\\ b`, ['a b']],
  [`a'b'"c"`, ['abc']],
  [`'' ""`, ['', '']],
  [`"a \\" \\$ \\x"`, [`a " $ \\x`]],
  ['a # rest\nb', ['a', 'b']],
  ['a#b', ['a#b']],
  ['a \\\n b', ['a', 'b']],
  [`sh -c 'echo "$HOME" && true'`, ['sh', '-c', 'echo "$HOME" && true']],
]
for (const [text, words] of table) {
  test(`splits ${JSON.stringify(text)}`, () => assert.equal(splitWords(text), words))
}

test('an open quote is an error that shows the line', () => {
  assert.throws(() => splitWords(`sh -c 'oops`), /ends inside '.*oops/)
  assert.throws(() => splitWords('a "b'), /ends inside "/)
  assert.throws(() => splitWords('a \\'), /ends inside a backslash/)
})

const word = fc.string({
  unit: fc.constantFrom(...`ab=1/-_ \t\n'"\\$\`!*?[]{}()<>|&;#~%é`),
  maxLength: 8,
})

test('joining and splitting are each other’s reverse', () => {
  fc.assert(fc.property(fc.array(word), (words) => assert.equal(splitWords(joinWords(words)), words)))
})

test('a real shell gives the same words, and expands none', () => {
  const sample = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 40, seed: 7 })
  for (const words of sample) {
    const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${joinWords(words)}`], { encoding: 'utf8' })
    assert.equal(printed.split('\0').slice(0, -1), words)
  }
})

test('what needs a shell is told from what only has words', () => {
  for (const text of [
    'a $B',
    'a && b',
    'a > b',
    'A=b c',
    'exec a',
    'a *.c',
    'a "$B"',
    'a `b`',
    'if a',
    'cd /',
    'a ~',
  ]) {
    assert.is(plainWords(text), undefined, text)
  }
  for (const text of ['a b', `a '$B && c'`, 'a --x=y', 'a \\$B', 'a "b\'c"', '/bin/a:b@c']) {
    assert.ok(plainWords(text), text)
  }
})

test('a command line for sh -c survives the way to words and back', () => {
  assert.is(fromShell('nginx -g "daemon off;"'), `nginx -g 'daemon off;'`)
  assert.is(fromShell('a && b'), `/bin/sh -c 'a && b'`)
  assert.is(toShell(`/bin/sh -c 'a && b'`), 'a && b')
  assert.is(toShell(`/bin/sh -c 'a b'`), `/bin/sh -c 'a b'`)
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      fc.pre(words[0] !== '')
      const line = joinWords(words)
      assert.is(toShell(fromShell(toShell(line))), toShell(line))
    }),
  )
})

test.run()
