import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { firmwarePackages } from '../dist/firmware.js'
import { alpine } from '../dist/index.js'
import { alpineOptions } from '../dist/options.js'
import { addressesOf, mirrorsOf, parseRepositories, repositoryLine } from '../dist/repository/repositories.js'

test('repositories: of the branch, of another one, elsewhere, with tags', () => {
  const found = parseRepositories('3.22', ['main', '@edge edge/testing', 'https://example.org/own/'])
  assert.equal(found, [
    { place: 'v3.22/main' },
    { place: 'edge/testing', tag: 'edge' },
    { place: 'https://example.org/own' },
  ])
  assert.is(repositoryLine(found[1]!, 'https://m'), '@edge https://m/edge/testing')
  assert.is(repositoryLine(found[2]!, 'https://m'), 'https://example.org/own')
  assert.equal(
    parseRepositories('edge').map(({ place }) => place),
    ['edge/main', 'edge/community'],
  )
  assert.is(errorOf(() => parseRepositories('3.22', ['main', 'v3.22/main'])).code, 'ALPINE_REPOSITORY')
})

test('mirrors: the one of the environment first', () => {
  assert.equal(mirrorsOf(['https://a/', 'https://b'], { ALPINE_MIRROR: 'http://here/alpine' }), [
    'http://here/alpine',
    'https://a',
    'https://b',
  ])
  assert.equal(mirrorsOf(undefined, {}), ['https://dl-cdn.alpinelinux.org/alpine'])
  assert.is(errorOf(() => mirrorsOf(undefined, { ALPINE_MIRROR: 'here' })).code, 'ALPINE_MIRROR')
  assert.equal(addressesOf('v3.22/main/x', ['https://a', 'https://b']), [
    'https://a/v3.22/main/x',
    'https://b/v3.22/main/x',
  ])
})

test('firmware.conf: packages by folder', () => {
  assert.equal(
    firmwarePackages('# nics\nrtl_nic/*.fw\nrtl_nic/a.fw\ni915/\nregulatory.db # plain\npackage:sof-firmware\n', 'f'),
    ['linux-firmware-i915', 'linux-firmware-other', 'linux-firmware-rtl_nic', 'sof-firmware'],
  )
  assert.match(errorOf(() => firmwarePackages('a\n*/x\n', 'firmware.conf')).message, /firmware\.conf:2: '\*\/x'/)
})

test('options: what is wrong is refused', () => {
  const ok = { branch: '3.22', packages: 'config/packages.list' }
  const accepts = (options: unknown): boolean => v.safeParse(alpineOptions, options).success
  assert.ok(accepts(ok))
  assert.ok(
    accepts({ ...ok, branch: 'edge', packages: ['a'], mirrors: 'https://a', repositories: ['main', '@t edge/main'] }),
  )
  for (const wrong of [
    { branch: 'latest' },
    { packages: 3 },
    { mirrors: 'ftp://a' },
    { repositories: [] },
    { repositories: ['a b'] },
    { extra: 1 },
  ])
    assert.not.ok(accepts({ ...ok, ...wrong }), JSON.stringify(wrong))
})

test('references', () => {
  const base = alpine({ branch: '3.22', packages: ['busybox'] })
  assert.equal(base.tree(['b', 'a', 'b']).params, ['a', 'b'])
  assert.is(base.firmware.component, 'firmware')
  assert.is(base.root.slot, 'tree')
})

test.run()
