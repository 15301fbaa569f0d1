import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseClearSigned } from '../dist/archive/clear-signed.js'
import { checkFreshness, checkSuite, indexPath, packagesIndexes, parseRelease } from '../dist/archive/release.js'
import { parseRfcDate } from '../dist/archive/rfc-date.js'
import { aptLists, hasTool, skip } from './host.js'

const digest = (digit: string) => digit.repeat(64)

const release = (more = '', table = '') => `Origin: Debian
Suite: oldstable-security
Codename: bookworm-security
Date: Wed, 18 Nov 2026 22:17:41 UTC
Valid-Until: Wed, 25 Nov 2026 22:17:41 UTC
Architectures: all amd64
Components: updates/main updates/contrib
${more}SHA256:
 ${digest('a')}  10 main/binary-amd64/Packages
 ${digest('b')}   5 main/binary-amd64/Packages.xz
 ${digest('c')}   6 main/binary-all/Packages.gz
${table}`

test('dates', () => {
  assert.is(parseRfcDate('Thu, 01 Jan 1970 00:00:00 UTC'), 0)
  assert.is(parseRfcDate('Tue, 29 Feb 2000 12:00:00 +0130'), Date.UTC(2000, 1, 29, 10, 30) / 1000)
  for (const wrong of [
    '',
    'today',
    'Wed, 18 Nov 2026 22:17:41',
    'Wed, 18 Xyz 2026 22:17:41 UTC',
    'Wed, 18 Nov 2026 25:17:41 UTC',
  ])
    assert.is(parseRfcDate(wrong), undefined, wrong)
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (date) => {
      const seconds = Math.floor(date.getTime() / 1000)
      assert.is(parseRfcDate(date.toUTCString()), seconds)
    }),
  )
})

test('what a suite says', () => {
  const found = parseRelease(
    release('NotAutomatic: yes\nButAutomaticUpgrades: yes\nAcquire-By-Hash: yes\n'),
    'InRelease',
  )
  assert.is(found.codename, 'bookworm-security')
  assert.is(found.validUntil, Date.UTC(2026, 10, 25, 22, 17, 41) / 1000)
  assert.equal(found.components, ['main', 'contrib'])
  assert.ok(found.notAutomatic && found.butAutomaticUpgrades && found.byHash && found.separateAll)
  assert.equal(found.files.get('main/binary-amd64/Packages.xz'), {
    path: 'main/binary-amd64/Packages.xz',
    sha256: digest('b'),
    size: 5,
  })
  assert.is(parseRelease(release('No-Support-for-Architecture-all: Packages\n'), 'f').separateAll, false)
})

test('the indexes of a component, and of architecture all where it has its own', () => {
  const found = parseRelease(release('Acquire-By-Hash: yes\n'), 'f')
  const wanted = { components: ['main'], architecture: 'amd64', file: 'InRelease' }
  const indexes = packagesIndexes(found, wanted)
  assert.equal(
    indexes.map(({ variants }) => variants.map(({ path }) => path)),
    [['main/binary-amd64/Packages.xz', 'main/binary-amd64/Packages'], ['main/binary-all/Packages.gz']],
  )
  assert.is(
    indexPath(found, 'bookworm-security', indexes[0]!.variants[0]!),
    `dists/bookworm-security/main/binary-amd64/by-hash/SHA256/${digest('b')}`,
  )
  assert.match(
    errorOf(() => packagesIndexes(found, { ...wanted, components: ['non-free'] })).message,
    /no component non-free; it has main, contrib/,
  )
  assert.match(
    errorOf(() => packagesIndexes(found, { ...wanted, architecture: 'riscv64' })).message,
    /no architecture riscv64; it has all, amd64/,
  )
})

test('a signed file of another suite, or a stale one, is refused', () => {
  const found = parseRelease(release(), 'f')
  checkSuite(found, 'bookworm-security', 'f')
  checkSuite(found, 'oldstable-security', 'f')
  assert.match(
    errorOf(() => checkSuite(found, 'bookworm', 'InRelease')).message,
    /asked for the suite bookworm, but this is/,
  )
  checkFreshness(found, found.validUntil!, 'f')
  assert.match(errorOf(() => checkFreshness(found, found.validUntil! + 86400, 'f')).message, /valid until 1 day ago/)
})

test('wrong tables are errors', () => {
  const wrong: [string, RegExp][] = [
    [` ${digest('a')} x y\n`, /no 'digest size path'/],
    [` ${digest('a')} 1 ../../etc/passwd\n`, /leaves the suite/],
    [` ${digest('a')} 1 /etc/passwd\n`, /leaves the suite/],
    [` ${digest('d')} 10 main/binary-amd64/Packages\n`, /twice with two digests/],
  ]
  for (const [table, message] of wrong) {
    const error = errorOf(() => parseRelease(release('', table), 'InRelease'))
    assert.is(error.code, 'DEBIAN_RELEASE')
    assert.match(error.message, message)
  }
  assert.match(errorOf(() => parseRelease('Suite: a\n', 'InRelease')).message, /no SHA256 table/)
  assert.match(errorOf(() => parseRelease(`${release()}\nSuite: b\n`, 'InRelease')).message, /second paragraph/)
})

const signed = (body: string) =>
  `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${body}-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n`

test('a clear-signed text: dashes, blanks at the end of lines, line ends', () => {
  const { body, signature } = parseClearSigned(signed('A: 1  \n- -dash\nB:\t2\t\r\n'), 'f')
  assert.is(body, 'A: 1\n-dash\nB:\t2\n')
  assert.is(signature, '-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n')
})

test('nothing may stand beside what is signed', () => {
  const whole = signed('A: 1\n')
  const cases: [string, RegExp][] = [
    [`x\n${whole}`, /f:1: expected '-----BEGIN PGP SIGNED MESSAGE/],
    [`${whole}x\n`, /there is text after the signature/],
    [whole + whole, /there is text after the signature/],
    [whole.replace('Hash: SHA256', 'Hash: SHA1'), /f:2: expected 'Hash: SHA256' or stronger/],
    [whole.replace('Hash: SHA256', 'Suite: evil'), /f:2: expected 'Hash/],
    [
      whole.replace('A: 1', '-----BEGIN PGP SIGNED MESSAGE-----'),
      /f:4: a line of the signed text begins with an unescaped dash/,
    ],
    [whole.replace('-----END PGP SIGNATURE-----\n', ''), /'-----END PGP SIGNATURE-----' is missing/],
    [whole.slice(0, whole.indexOf('-----BEGIN PGP SIGNATURE')), /the signature is missing/],
    ['', /f:1: expected/],
  ]
  for (const [text, message] of cases) {
    const error = errorOf(() => parseClearSigned(text, 'f'))
    assert.is(error.code, 'DEBIAN_CLEARSIGN')
    assert.match(error.message, message)
  }
})

test('property: any body comes back, and any text gives a value or a ZosError', () => {
  const lines = fc.array(fc.stringMatching(/^([!-~]([ -~]{0,20}[!-~])?)?$/), { maxLength: 8 })
  fc.assert(
    fc.property(lines, (wanted) => {
      const text = wanted.map((line) => `${line.startsWith('-') ? '- ' : ''}${line}\n`).join('')
      assert.is(parseClearSigned(signed(text), 'f').body, wanted.map((line) => `${line}\n`).join(''))
    }),
  )
  const base = signed(release())
  fc.assert(
    fc.property(fc.nat(base.length), fc.nat(40), fc.string({ maxLength: 20 }), (at, remove, insert) => {
      const text = base.slice(0, at) + insert + base.slice(at + remove)
      survives(() => parseRelease(parseClearSigned(text, 'f').body, 'f'))
    }),
    { numRuns: 1000 },
  )
})

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const real = hasTool('gpgv') && existsSync(keyring) ? aptLists('_InRelease') : []
if (real.length === 0) skip('real InRelease files', 'gpgv, debian-archive-keyring or apt lists are missing')
for (const path of real)
  test(`real: ${path.slice(path.lastIndexOf('/') + 1)}`, () => {
    const text = readFileSync(path, 'utf8')
    const { body } = parseClearSigned(text, path)
    const { stdout } = spawnSync('gpgv', ['--keyring', keyring, '--output', '-', path], { maxBuffer: 1 << 28 })
    assert.ok(stdout.length > 1000, 'gpgv gives the text that it verified')
    assert.is(body, `${stdout.toString().trimEnd()}\n`)
    const found = parseRelease(body, path)
    assert.ok(found.files.size > 100)
    assert.ok(packagesIndexes(found, { components: ['main'], architecture: 'amd64', file: path }).length > 0)
  })

test.run()
