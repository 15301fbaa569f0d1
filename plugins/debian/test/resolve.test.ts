import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDependency } from '../dist/control/dependency.js'
import { nearNames } from '../dist/resolve/near-names.js'
import { mergeRequests, parseRequest } from '../dist/resolve/request.js'
import { resolvePackages } from '../dist/resolve/resolve-packages.js'
import { packagesOf, resolve, suiteOf, universeOf } from './packages.js'

const names = (list: string[]) => list.map((item) => item.replace(/=.*/, '')).join(' ')

test('what is needed comes too, first alternatives first', () => {
  const universe = universeOf(
    'Package: a\nDepends: b | c, d (>= 2)\nPre-Depends: e\n\nPackage: b\n\nPackage: c\n\nPackage: d\nVersion: 2\n\nPackage: e\n',
  )
  assert.equal(resolve(universe, ['a']), ['a=1', 'b=1', 'd=2', 'e=1'])
})

test('an alternative that was chosen already is preferred, also when it is only asked for later', () => {
  const universe = universeOf('Package: a\nDepends: b | c\n\nPackage: b\n\nPackage: c\n')
  assert.is(names(resolve(universe, ['a', 'c'])), 'a c')
})

test('an alternative that cannot be installed is passed over, with all that it would have brought', () => {
  const universe = universeOf(
    'Package: a\nDepends: b | c\n\nPackage: b\nDepends: x, y\n\nPackage: x\n\nPackage: y\nDepends: gone\n\nPackage: c\n',
  )
  assert.is(names(resolve(universe, ['a'])), 'a c')
})

test('circles end', () => {
  assert.is(names(resolve(universeOf('Package: a\nDepends: b\n\nPackage: b\nDepends: a\n'), ['b'])), 'a b')
})

test('providers: by version, real packages first, then essential ones, then higher priority', () => {
  const one = universeOf(
    'Package: a\nDepends: v (>= 2)\n\nPackage: p\nProvides: v (= 1)\n\nPackage: q\nProvides: v (= 2)\n\nPackage: r\nProvides: v\n',
  )
  assert.is(names(resolve(one, ['a'])), 'a q')
  const two = universeOf('Package: a\nDepends: v\n\nPackage: p\nProvides: v\nEssential: yes\n\nPackage: v\n')
  assert.is(names(resolve(two, ['a'])), 'a v')
  const three = universeOf(
    'Package: a\nDepends: v\n\nPackage: p\nProvides: v\n\nPackage: q\nProvides: v\nPriority: required\n\nPackage: r\nProvides: v\nPriority: standard\n',
  )
  assert.is(names(resolve(three, ['a'])), 'a q')
  const four = universeOf(
    'Package: a\nDepends: v\n\nPackage: p\nProvides: v\nPriority: required\n\nPackage: q\nProvides: v\nEssential: yes\n',
  )
  assert.is(names(resolve(four, ['a'])), 'a q')
})

test('name:any takes what allows it', () => {
  const universe = universeOf(
    'Package: a\nDepends: p:any | q:any\n\nPackage: p\n\nPackage: q\nMulti-Arch: allowed\n\nPackage: b\nDepends: p:amd64\n\nPackage: c\nDepends: p:arm64\n',
  )
  assert.is(names(resolve(universe, ['a'])), 'a q')
  assert.is(names(resolve(universe, ['b'])), 'b p')
  assert.match(errorOf(() => resolve(universe, ['c'])).message, /c 1 \(bookworm\) needs p:arm64/)
})

test('other architectures are not there', () => {
  const universe = universeOf('Package: a\nArchitecture: arm64\n\nPackage: b\nArchitecture: all\n')
  assert.is(names(resolve(universe, ['b'])), 'b')
  assert.is(errorOf(() => resolve(universe, ['a'])).code, 'DEBIAN_UNKNOWN_PACKAGE')
})

const backports = packagesOf(
  'Package: a\nVersion: 2\nDepends: lib (>= 2), other\n\nPackage: lib\nVersion: 2\n\nPackage: other\nVersion: 2\n',
  suiteOf('bookworm-backports'),
)
const stable = 'Package: a\nDepends: lib\n\nPackage: lib\n\nPackage: other\n'

test('backports are taken only when asked for, with what is needed from there and no more', () => {
  const universe = universeOf(stable, backports)
  assert.equal(resolve(universe, ['a']), ['a=1', 'lib=1'])
  assert.equal(resolve(universe, ['a/bookworm-backports']), ['a=2', 'lib=2', 'other=1'])
  assert.equal(resolve(universe, ['a=2', 'lib/bookworm-backports']), ['a=2', 'lib=2', 'other=1'])
  assert.match(errorOf(() => resolve(universe, ['a=2'])).message, /lib \(>= 2\): the candidate is lib 1 \(bookworm\)/)
  assert.match(
    errorOf(() => resolve(universe, ['a/bookworm-updates'])).message,
    /there are only a 1 \(bookworm\), a 2 \(bookworm-backports\)/,
  )
})

test('of suites with equal rights the newest wins; a suite goes by its aliases too', () => {
  const security = packagesOf(
    'Package: a\nVersion: 1.1\n',
    suiteOf('bookworm-security', { aliases: ['oldstable-security'] }),
  )
  const universe = universeOf(stable, security, backports)
  assert.equal(resolve(universe, ['a'])[0], 'a=1.1')
  assert.equal(resolve(universe, ['a/oldstable-security'])[0], 'a=1.1')
  const experimental = packagesOf(
    'Package: a\nVersion: 9\n\nPackage: x\n',
    suiteOf('experimental', { notAutomatic: true, butAutomaticUpgrades: false }),
  )
  assert.equal(resolve(universeOf(experimental, backports, stable), ['a'])[0], 'a=1')
  assert.equal(resolve(universeOf(experimental, stable), ['x']), ['x=1'])
})

test('the same package in two suites is one; the first suite is named', () => {
  const [same] = packagesOf('Package: a\nSHA256: '.concat('e'.repeat(64), '\n'))
  const again = { ...same!, suite: suiteOf('bookworm-security') }
  const [chosen] = resolvePackages(universeOf([same!], [again]), [parseRequest('a', 'x')])
  assert.is(chosen?.binary.suite.name, 'bookworm')
  assert.equal(resolve(universeOf([same!], [again]), ['a/bookworm-security']), ['a=1'])
})

test('essential packages come only when asked for', () => {
  const universe = universeOf('Package: a\n\nPackage: base\nEssential: yes\nDepends: lib\n\nPackage: lib\n')
  assert.is(names(resolve(universe, ['a'])), 'a')
  const all = resolvePackages(universe, [parseRequest('a', 'x')], { essential: true })
  assert.equal(
    all.map(({ binary }) => binary.name),
    ['a', 'base', 'lib'],
  )
})

test('a missing package is an error with near names, or with who provides it', () => {
  const universe = universeOf(
    'Package: openssh-server\nProvides: ssh-server\n\nPackage: openssh-client\n\nPackage: a\nDepends: openssh-servre\n',
  )
  const error = errorOf(() => resolve(universe, ['opensshserver'], 'the config'))
  assert.is(error.code, 'DEBIAN_UNKNOWN_PACKAGE')
  assert.is(error.message, 'opensshserver (wanted by the config): no package of this name in bookworm')
  assert.match(error.hint[0]!, /did you mean openssh-server\?/)
  assert.is(errorOf(() => resolve(universe, ['openssh-servre'])).hint[0], 'did you mean openssh-server?')
  // A virtual name with one provider is as good as the provider.
  assert.is(names(resolve(universe, ['ssh-server'])), 'openssh-server')
  const two = universeOf('Package: p\nProvides: mta\n\nPackage: q\nProvides: mta\n')
  const virtual = errorOf(() => resolve(two, ['mta']))
  assert.is(virtual.code, 'DEBIAN_VIRTUAL_PACKAGE')
  assert.match(virtual.message, /is provided by p, q/)
})

test('something needed that is not there: who needs it, and why each alternative does not do', () => {
  const universe = universeOf(
    'Package: a\nDepends: b\n\nPackage: b\nDepends: c (>= 2) | d | v\n\nPackage: c\nVersion: 1.5\n\nPackage: p\nDepends: gone\nProvides: v\n',
  )
  const error = errorOf(() => resolve(universe, ['a'], 'the config'))
  assert.is(error.code, 'DEBIAN_UNSOLVABLE')
  assert.is(
    error.message,
    `a 1 (bookworm) needs b
  b 1 (bookworm) needs c (>= 2) | d | v
    p 1 (bookworm) needs gone
      gone: no enabled suite has it
  a ← wanted by the config`,
  )
})

const conflict =
  'Package: a\nDepends: b\n\nPackage: b\nConflicts: d\n\nPackage: c\nDepends: d\n\nPackage: d\nVersion: 3\n'

test('a conflict names both packages and who wants each', () => {
  const universe = universeOf(conflict)
  const requests = [parseRequest('a', 'the config'), parseRequest('c', 'zinit')]
  const error = errorOf(() => resolvePackages(universe, requests))
  assert.is(error.code, 'DEBIAN_CONFLICT')
  for (const part of [
    /b 1 \(bookworm\) has Conflicts: d/,
    /b ← a \(needs b\) ← wanted by the config/,
    /c ← wanted by zinit/,
  ])
    assert.match(error.message, part)
  // The other way round the forbidden one is there first.
  const other = errorOf(() => resolvePackages(universe, [...requests].reverse()))
  assert.is(
    other.message,
    `a 1 (bookworm) needs b
  b 1 (bookworm) and d 3 (bookworm) cannot be together: b has Conflicts: d
    b ← a (needs b) ← wanted by the config
    d ← c (needs d) ← wanted by zinit
  a ← wanted by the config`,
  )
})

test('Breaks with versions, and conflicts with what is provided', () => {
  const universe = universeOf(
    'Package: a\nBreaks: b (<< 2)\n\nPackage: b\n\nPackage: c\nBreaks: b (<< 1)\n\nPackage: m\nProvides: mta\nConflicts: mta\n\nPackage: n\nProvides: mta\nConflicts: mta\n',
  )
  assert.match(errorOf(() => resolve(universe, ['a', 'b'])).message, /a has Breaks: b \(<< 2\)/)
  assert.is(names(resolve(universe, ['b', 'c'])), 'b c')
  assert.is(names(resolve(universe, ['m'])), 'm')
  assert.match(errorOf(() => resolve(universe, ['m', 'n'])).message, /has Conflicts: mta, which [mn] provides/)
})

test('a free choice gives way to what has none, whatever the order', () => {
  const text =
    'Package: a\nDepends: x | y\n\nPackage: x\n\nPackage: y\n\nPackage: b\nDepends: c\n\nPackage: c\nConflicts: x\n'
  assert.is(names(resolve(universeOf(text), ['a', 'b'])), 'a b c y')
  assert.is(names(resolve(universeOf(text), ['b', 'a'])), 'a b c y')
})

test('requests: their forms, and two that differ', () => {
  assert.equal(parseRequest('a/bookworm-backports', 'x'), { name: 'a', suite: 'bookworm-backports', by: 'x' })
  assert.equal(parseRequest('a=1:2-3', 'x'), { name: 'a', version: '1:2-3', by: 'x' })
  for (const text of ['', 'A', 'a/b=1', 'a b', 'a/', 'a=', 'a=x y', '-a', 'a:any'])
    assert.is(errorOf(() => parseRequest(text, 'x')).code, 'DEBIAN_REQUEST', text)
  const merged = mergeRequests(['a', 'b', 'a/s', 'a'].map((text) => parseRequest(text, 'x')))
  assert.equal(
    merged.map(({ name, suite }) => `${name}/${suite}`),
    ['a/s', 'b/undefined'],
  )
  const error = errorOf(() => mergeRequests([parseRequest('a/s', 'one'), parseRequest('a=1', 'two')]))
  assert.is(error.message, 'one wants a/s, two wants a=1')
})

test('near names: slips, swaps and what was left out', () => {
  const known = ['busybox', 'busybox-static', 'kmod', 'dosfstools', 'linux-image-cloud-amd64', 'linux-image-amd64']
  assert.is(nearNames('dosfstool', known)[0], 'dosfstools')
  assert.is(nearNames('kmdo', known)[0], 'kmod')
  assert.equal(nearNames('busybx', known), ['busybox'])
  assert.equal(nearNames('nothing-like-it', known), [])
})

const letters = ['a', 'b', 'c', 'd', 'e', 'f']
const term = fc
  .tuple(fc.constantFrom(...letters, 'v'), fc.constantFrom('', ' (>= 2)', ' (<< 2)'))
  .map((parts) => parts.join(''))
const depends = fc.array(
  fc.array(term, { minLength: 1, maxLength: 2 }).map((terms) => terms.join(' | ')),
  { maxLength: 2 },
)
const generated = fc.tuple(
  ...letters.map((name) =>
    fc
      .record({
        depends,
        conflicts: fc.array(term, { maxLength: 1 }),
        provides: fc.boolean(),
        version: fc.constantFrom('1', '2'),
      })
      .map(
        (fields) =>
          `Package: ${name}\nVersion: ${fields.version}\nDepends: ${fields.depends.join(', ')}\nConflicts: ${fields.conflicts.join(', ')}\n${fields.provides ? 'Provides: v\n' : ''}`,
      ),
  ),
)

test('property: what comes out holds together, or there is a ZosError', () => {
  let solved = 0
  fc.assert(
    fc.property(generated, fc.subarray(letters, { minLength: 1, maxLength: 3 }), (paragraphs, wanted) => {
      const universe = universeOf(paragraphs.join('\n'))
      const result = survives(() =>
        resolvePackages(
          universe,
          wanted.map((name) => parseRequest(name, 'x')),
        ),
      )
      if (!result) return
      solved++
      const chosen = result.map(({ binary }) => binary)
      assert.ok(wanted.every((name) => chosen.some((binary) => binary.name === name)))
      for (const binary of chosen) {
        const terms = (field: 'Depends' | 'Conflicts') =>
          parseDependency(binary.relations[field] ?? '', { subject: binary.name })
        for (const group of terms('Depends'))
          assert.ok(
            group.some((relation) => chosen.some((other) => universe.answers(other, relation))),
            `${binary.name} needs`,
          )
        for (const [relation] of terms('Conflicts'))
          assert.not(
            chosen.some((other) => other !== binary && universe.answers(other, relation!)),
            `${binary.name} conflicts`,
          )
      }
    }),
    { numRuns: 3000 },
  )
  assert.ok(solved > 500, `only ${solved} could be solved: the packages made up are no test`)
})

test.run()
