import { spawnSync } from 'node:child_process'
import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDeb822 } from '../dist/control/deb822.js'
import { compareVersions, isVersion, parseVersion, versionHolds } from '../dist/control/version.js'
import { aptLists, hasTool, readList, skip } from './host.js'

test('a version is split at the first colon and the last hyphen', () => {
  assert.equal(parseVersion('1:2.0-rc1-3'), { epoch: 1, upstream: '2.0-rc1', revision: '3' })
  assert.equal(parseVersion('2.0'), { epoch: 0, upstream: '2.0', revision: '' })
  assert.equal(parseVersion('0:1:2'), { epoch: 0, upstream: '1:2', revision: '' })
})

test('what dpkg refuses is refused', () => {
  for (const text of ['', ':1', 'a:1', '-1:1', '1:', '1-', '-1', '1 2', '1_2', '1:1-a_b', '9999999999:1', 'ä'])
    assert.is(errorOf(() => parseVersion(text)).code, 'DEBIAN_VERSION', text)
})

const rising = [
  '0~~',
  '0~~a',
  '0~',
  '0~1',
  '0',
  '0a',
  '0+',
  '0.1',
  '1~rc1-1',
  '1~rc1+b1',
  '1-0',
  '1-0.1',
  '1-1~bpo12+1',
  '1-1',
  '1-1+b1',
  '1-1.1',
  '1.0',
  '1.0a',
  '1.0aa',
  '1.0b',
  '1.0+dfsg',
  '1.0.1',
  '1.2',
  '1.10',
  '2',
  '1:0~',
  '1:0.1',
  '2:0',
]

test('a table of versions, each later than the one before', () => {
  for (const [i, a] of rising.entries())
    for (const [j, b] of rising.entries()) assert.is(compareVersions(a, b), Math.sign(i - j), `${a} and ${b}`)
  assert.is(compareVersions('1.0', '1.0-0'), 0)
  assert.is(compareVersions('0:1.00', '1.0'), 0)
  assert.ok(versionHolds('2.36-9', '>=', '2.36') && !versionHolds('2.36-9', '<<', '2.36-9'))
  assert.ok(versionHolds('1', '<=', '1') && versionHolds('1', '=', '1-0') && !versionHolds('1', '>>', '1'))
})

const word = fc.stringMatching(/^[0-9a-zA-Z.+~]{1,6}$/)
const version = fc
  .tuple(fc.option(fc.nat(3), { freq: 3 }), fc.stringMatching(/^[0-9][0-9ab.+~-]{0,7}$/), fc.option(word))
  .map(
    ([epoch, upstream, revision]) =>
      `${epoch === null ? '' : `${epoch}:`}${upstream}${revision === null ? '' : `-${revision}`}`,
  )
  .filter(isVersion)

test('property: an order', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.is(compareVersions(a, a), 0)
      assert.is(compareVersions(a, b) + compareVersions(b, a), 0)
      const [low, middle, high] = [a, b, c].sort(compareVersions) as [string, string, string]
      assert.ok(
        compareVersions(low, middle) <= 0 && compareVersions(middle, high) <= 0 && compareVersions(low, high) <= 0,
      )
    }),
    { numRuns: 3000 },
  )
  fc.assert(fc.property(fc.string(), (text) => void survives(() => parseVersion(text))))
})

/** One shell asks dpkg about every pair: a line `lt`, `eq` or `gt` each. */
const dpkgSays = (pairs: readonly (readonly [string, string])[]): number[] => {
  const script =
    'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi; done'
  const { stdout } = spawnSync('sh', ['-c', script], {
    input: pairs.map((pair) => `${pair.join(' ')}\n`).join(''),
    encoding: 'utf8',
  })
  return stdout.trim().split('\n').map(Number)
}

const judge = (name: string, pairs: readonly (readonly [string, string])[]): void => {
  const said = dpkgSays(pairs)
  assert.is(said.length, pairs.length)
  for (const [index, [a, b]] of pairs.entries())
    assert.is(compareVersions(a, b), said[index], `${name}: ${a} and ${b}: dpkg says ${said[index]}`)
}

if (!hasTool('dpkg')) skip('dpkg as judge of versions', 'there is no dpkg')
else {
  test('dpkg agrees on made-up versions', () => {
    judge('made up', fc.sample(fc.tuple(version, version), { numRuns: 1200, seed: 7 }))
  })

  const lists = aptLists('_Packages')
  if (lists.length === 0) skip('dpkg agrees on versions of the archive', 'apt has no lists; run apt-get update')
  else
    test('dpkg agrees on versions of the archive', () => {
      const versions = lists.flatMap((path) =>
        parseDeb822(readList(path) ?? Buffer.alloc(0), { file: path, fields: ['Version'] }).map(
          (stanza) => stanza.fields.get('Version')!,
        ),
      )
      // Neighbours in order are the hard ones.
      const sorted = [...new Set(versions)].sort(compareVersions)
      const step = Math.max(1, Math.floor(sorted.length / 1000))
      const pairs = sorted.flatMap((a, index) =>
        index % step === 0 && sorted[index + 1] ? [[a, sorted[index + 1]!] as const] : [],
      )
      judge('archive', pairs)
    })
}

test.run()
