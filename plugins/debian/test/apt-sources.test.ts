import { readdirSync, readFileSync } from 'node:fs'
import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AptSource, parseAptSources, parseListFile, parseSourcesFile } from '../dist/archive/apt-sources.js'
import { archiveFor, archiveOfSuite, codenameOfSuite } from '../dist/archive/archives.js'
import { skip } from './host.js'

const debianSources = `Types: deb deb-src
# a comment inside
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
Components: main
Architectures: amd64 arm64

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
`

test('a .sources file', () => {
  const [first, second, ...more] = parseSourcesFile(debianSources, 'debian.sources')
  assert.equal(more, [])
  assert.equal(first, {
    types: ['deb', 'deb-src'],
    uris: ['http://mirror.example/debian'],
    suites: ['bookworm', 'bookworm-updates'],
    components: ['main', 'contrib'],
    architectures: [],
    signedBy: { kind: 'files', paths: ['/usr/share/keyrings/debian-archive-keyring.gpg'] },
    from: 'debian.sources:1',
  })
  assert.equal(second?.architectures, ['amd64', 'arm64'])
  assert.is(second?.from, 'debian.sources:8')
})

test('a key inside a .sources file, and fingerprints', () => {
  const entry = (signedBy: string) =>
    parseSourcesFile(
      `Types: deb\nURIs: http://a.example/debian\nSuites: x\nComponents: main\nSigned-By: ${signedBy}\n`,
      'f',
    )[0]?.signedBy
  assert.equal(entry('\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n IQ==\n -----END PGP PUBLIC KEY BLOCK-----'), {
    kind: 'key',
    armored: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nIQ==\n-----END PGP PUBLIC KEY BLOCK-----',
  })
  assert.equal(entry('ABCD!, EF01'), { kind: 'fingerprints', fingerprints: ['ABCD!', 'EF01'] })
})

test('a .list file', () => {
  const text = `
# deb http://no.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # a comment
deb-src [arch=amd64,arm64 signed-by=/k.gpg trusted=yes] https://x.example/debian bookworm-backports main
deb [enabled=no] http://off.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12 - 20230610]/ bookworm main
deb http://flat.example/repo ./
`
  const entries = parseListFile(text, 'sources.list')
  assert.equal(
    entries.map(({ uris, suites, components }) => [uris[0], suites[0], components.join(' ')]),
    [
      ['http://mirror.example/debian', 'bookworm', 'main contrib'],
      ['https://x.example/debian', 'bookworm-backports', 'main'],
      ['cdrom:[Debian%20GNU/Linux%2012%20-%2020230610]/', 'bookworm', 'main'],
      ['http://flat.example/repo', './', ''],
    ],
  )
  assert.equal(entries[1]?.architectures, ['amd64', 'arm64'])
  assert.equal(entries[1]?.signedBy, { kind: 'files', paths: ['/k.gpg'] })
  assert.is(entries[1]?.from, 'sources.list:4')
})

test('errors name file and line', () => {
  const cases: [() => unknown, RegExp][] = [
    [() => parseListFile('\ndeb http://a.example/debian\n', 'l'), /l:2: .* is no 'deb URI suite component'/],
    [() => parseListFile('rpm http://a.example/debian x main\n', 'l'), /l:1: the type 'rpm' is neither/],
    [() => parseListFile('deb nonsense x main\n', 'l'), /l:1: 'nonsense' is no URI/],
    [() => parseListFile('deb http://a.example/debian x\n', 'l'), /l:1: the suite x has no components/],
    [() => parseListFile('deb [arch] http://a.example/debian x main\n', 'l'), /l:1: 'arch' is no option=value/],
    [() => parseSourcesFile('\nTypes: deb\nURIs: http://a.example\nComponents: main\n', 's'), /s:2: it names no suite/],
    [() => parseSourcesFile('URIs: http://a.example\n', 's'), /s:1: it names no type/],
  ]
  for (const [run, message] of cases) {
    const error = errorOf(run)
    assert.is(error.code, 'DEBIAN_APT_SOURCES')
    assert.match(error.message, message)
  }
})

test('files are read by their ending, in the order of their names', () => {
  const entries = parseAptSources([
    { path: '/etc/apt/sources.list.d/b.sources', text: debianSources },
    { path: '/etc/apt/sources.list.d/a.list', text: 'deb http://a.example/debian bookworm main\n' },
    { path: '/etc/apt/sources.list.d/old.list.save', text: 'nonsense' },
  ])
  assert.equal(
    entries.map(({ from }) => from),
    ['/etc/apt/sources.list.d/a.list:1', '/etc/apt/sources.list.d/b.sources:1', '/etc/apt/sources.list.d/b.sources:8'],
  )
})

test('suites and their archives', () => {
  assert.is(archiveOfSuite('bookworm'), 'debian')
  assert.is(archiveOfSuite('bookworm-backports'), 'debian')
  assert.is(archiveOfSuite('bookworm-security'), 'debian-security')
  assert.is(archiveOfSuite('buster/updates'), 'debian-security')
  assert.equal(['bookworm', 'bookworm-updates', 'bookworm-backports-sloppy', 'buster/updates'].map(codenameOfSuite), [
    'bookworm',
    'bookworm',
    'bookworm',
    'buster',
  ])
})

const host = parseSourcesFile(debianSources, 'debian.sources')
const mirrors = (suite: string, sources: readonly AptSource[], options = {}) =>
  archiveFor(suite, sources, options).mirrors

test('mirrors by suite, from what the host has', () => {
  assert.equal(mirrors('bookworm', host), ['http://mirror.example/debian'])
  assert.equal(mirrors('bookworm-security', host), ['http://mirror.example/debian-security'])
  // Not listed: the same archive has it.
  assert.equal(mirrors('bookworm-backports', host), ['http://mirror.example/debian'])
  assert.equal(archiveFor('bookworm-backports', host, {}).signedBy, {
    kind: 'files',
    paths: ['/usr/share/keyrings/debian-archive-keyring.gpg'],
  })
  // Another release: any Debian archive of the host may have it.
  assert.equal(mirrors('trixie', host), ['http://mirror.example/debian'])
  assert.equal(mirrors('trixie-security', host), ['http://mirror.example/debian-security'])
  // The security archive stands beside the main one.
  assert.equal(mirrors('bookworm-security', host.slice(0, 1)), ['http://mirror.example/debian-security'])
  assert.equal(mirrors('bookworm', host.slice(1)), ['http://mirror.example/debian'])
})

test('options win; what they cannot say is an error', () => {
  const mirror = 'https://own.example/pub/debian/'
  assert.equal(mirrors('bookworm', host, { mirror }), ['https://own.example/pub/debian'])
  assert.equal(mirrors('bookworm-security', host, { mirror }), ['https://own.example/pub/debian-security'])
  assert.equal(mirrors('bookworm-security', host, { mirror, securityMirror: 'https://s.example' }), [
    'https://s.example',
  ])
  const odd = errorOf(() => mirrors('bookworm-security', host, { mirror: 'https://own.example/d12' }))
  assert.match(odd.message, /but not where debian-security is/)
  assert.match(errorOf(() => mirrors('bookworm', [], { mirror: 'file:///srv/debian' })).message, /no http or https/)
  const none = errorOf(() => mirrors('bookworm', parseListFile('deb http://u.example/ubuntu noble main\n', 'l')))
  assert.is(none.code, 'DEBIAN_MIRROR')
  assert.match(none.hint.join(), /DEBIAN_MIRROR=URL/)
})

test('property: any text gives entries or a ZosError, soon', () => {
  const parts = fc.array(
    fc.constantFrom(
      'deb',
      ' ',
      '[',
      ']',
      'a=b',
      'http://x.example/debian',
      'main',
      '\n',
      '#',
      ':',
      'Types: deb\n',
      'URIs:',
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(parts, (text) => {
      survives(() => parseListFile(text.join(''), 'l'))
      survives(() => parseSourcesFile(text.join(''), 's'))
    }),
    { numRuns: 2000 },
  )
  const started = performance.now()
  survives(() => parseListFile(`deb ${'[x]'.repeat(100_000)}`, 'l'))
  survives(() => parseListFile(`deb ${' '.repeat(200_000)}`, 'l'))
  assert.ok(performance.now() - started < 2000)
})

let files: { path: string; text: string }[] = []
try {
  const folder = '/etc/apt/sources.list.d'
  files = readdirSync(folder).map((name) => ({
    path: `${folder}/${name}`,
    text: readFileSync(`${folder}/${name}`, 'utf8'),
  }))
} catch {
  skip("this machine's own apt configuration", 'there is none')
}
if (files.length > 0)
  test("this machine's own apt configuration is read", () => {
    assert.ok(Array.isArray(parseAptSources(files)))
  })

test.run()
