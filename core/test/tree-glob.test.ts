import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FileTree } from '../dist/model/tree.js'
import { directory, file, mergedUsr, paths, throwsWith } from './tree-samples.js'

const tree = FileTree.from([
  ...mergedUsr,
  file('/etc/.hidden'),
  file('/etc/a.conf'),
  file('/etc/sub/b.conf'),
  file('/usr/bin/['),
  file('/usr/bin/ls'),
  file('/usr/lib/x/a.ko'),
  file('/usr/lib/x/y/b.ko'),
  file('/usr/lib/x/y/b.ko.xz'),
  file('/𝒳'),
])
const table: [string, string[]][] = [
  ['/etc/*', ['/etc/.hidden', '/etc/a.conf', '/etc/sub']],
  ['/etc/a.conf', ['/etc/a.conf']],
  ['/etc/?.conf', ['/etc/a.conf']],
  ['/etc/**/*.conf', ['/etc/a.conf', '/etc/sub/b.conf']],
  ['/etc/**', ['/etc/.hidden', '/etc/a.conf', '/etc/sub', '/etc/sub/b.conf']],
  ['/**/b.ko{,.xz}', ['/usr/lib/x/y/b.ko', '/usr/lib/x/y/b.ko.xz']],
  ['/{etc,usr/{bin,lib/x}}/{a*,ls}', ['/etc/a.conf', '/usr/bin/ls', '/usr/lib/x/a.ko']],
  ['/{etc,etc}/a.conf', ['/etc/a.conf']],
  ['/lib/*/*.ko', ['/usr/lib/x/a.ko']],
  ['/lib/**/**/b.ko', ['/usr/lib/x/y/b.ko']],
  ['/lib', ['/lib']],
  ['/l*', ['/lib']],
  ['/l*/*', []],
  ['/usr/bin/[', ['/usr/bin/[']],
  ['/?', ['/𝒳']],
  ['/*/*/x/**/?.ko', ['/usr/lib/x/a.ko', '/usr/lib/x/y/b.ko']],
  ['/missing/**', []],
  ['/etc/a.conf/*', []],
  ['/', []],
]
for (const [pattern, expected] of table) {
  test(`glob ${pattern}`, () => {
    assert.equal(
      tree.glob(pattern).map(({ path }) => path),
      expected,
    )
  })
}

test('/** is every record, in the same order', () => {
  assert.equal(tree.glob('/**'), [...tree.records()])
})

test('wrong patterns say what is wrong', () => {
  throwsWith(() => tree.glob('etc/*'), 'TREE_GLOB', 'absolute')
  throwsWith(() => tree.glob('/{a,b'), 'TREE_GLOB', 'brace')
  throwsWith(() => tree.glob('/a}'), 'TREE_GLOB', 'brace')
  throwsWith(() => tree.glob('/a**'), 'TREE_GLOB', '**')
  throwsWith(() => tree.glob('/a/../*'), 'TREE_GLOB', 'normal form')
  throwsWith(() => tree.glob('/a/'), 'TREE_GLOB', 'normal form')
  throwsWith(() => tree.glob(`/${'{a,b}'.repeat(11)}`), 'TREE_GLOB', '1024')
})

test('no pattern is slow', () => {
  const long = FileTree.from([file(`/${'a'.repeat(255)}`)])
  const start = performance.now()
  assert.equal(long.glob(`/${'*a'.repeat(100)}*b`), [])
  assert.equal(tree.glob(`/${'**/'.repeat(500)}zzz`), [])
  assert.ok(performance.now() - start < 1000)
})

/** The same language, said by regular expressions. */
const judge = (pattern: string): RegExp => {
  const names = pattern.slice(1).split('/')
  const source = names.map((name, i) => {
    if (name === '**') return i === names.length - 1 ? '/.+' : '(?:/[^/]+)*'
    return `/${name.replaceAll('?', '[^/]').replaceAll('*', '[^/]*').replace('{', '(?:').replace(',', '|').replace('}', ')')}`
  })
  return new RegExp(`^${source.join('')}$`)
}

test('glob agrees with regular expressions', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'ba', 'abb')
  const part = fc.constantFrom('a', 'b', '*', '**', '?', 'a*', '*b', '?b*', '{a,b}', 'a{,b}', '*{a,bb}')
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join('/')}`)
  const pattern = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(fc.array(path, { maxLength: 20 }), pattern, (all, wanted) => {
      const grown = FileTree.from(all.map((each) => directory(each)))
      assert.equal(
        grown.glob(wanted).map((record) => record.path),
        paths(grown).filter((each) => judge(wanted).test(each)),
      )
    }),
    { numRuns: 500 },
  )
})

test.run()
