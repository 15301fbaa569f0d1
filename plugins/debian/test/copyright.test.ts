import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { debPurl } from '../dist/bill.js'
import { declaredLicense } from '../dist/package/copyright.js'

const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: tool\n'
const files = (names: string, license: string): string =>
  `\nFiles: ${names}\nCopyright: 2020 A\nLicense: ${license}\n text of it\n`

test('names that SPDX has make an expression; the packaging is left out', () => {
  const text =
    format + files('*', 'GPL-2+ or Expat') + files('lib/*\n lib2/*', 'BSD-3-clause') + files('debian/*', 'beer')
  assert.equal(declaredLicense(text), { license: '(GPL-2.0-or-later OR MIT) AND BSD-3-Clause' })
  assert.equal(declaredLicense(format + files('*', 'LGPL-2.1') + files('a', 'LGPL-2.1')), { license: 'LGPL-2.1-only' })
})

test('other names stay as they are', () => {
  const text = format + files('*', 'GPL-2') + files('x', 'public-domain')
  assert.equal(declaredLicense(text), { licenseComment: 'the copyright file says: GPL-2; public-domain' })
  const old = 'On Debian systems the licence is in /usr/share/common-licenses/GPL-2.\n'
  assert.equal(declaredLicense(old), { licenseComment: 'the copyright file refers to GPL-2' })
  assert.equal(declaredLicense('Copyright 2020, all rights granted.'), {})
  assert.equal(declaredLicense(format), {})
})

test('any text gives an answer', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (head, tail) => {
      const { license, licenseComment } = declaredLicense(`${format}${head}\n\nFiles: *\nLicense: ${tail}`)
      assert.not.ok(license !== undefined && licenseComment !== undefined)
    }),
  )
})

test('a package URL has the version percent-encoded', () =>
  assert.is(debPurl('g++', '1:2.0+dfsg~rc1-1', 'amd64'), 'pkg:deb/debian/g%2B%2B@1%3A2.0%2Bdfsg~rc1-1?arch=amd64'))

test.run()
