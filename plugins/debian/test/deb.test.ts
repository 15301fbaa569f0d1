import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { errorOf, survives } from '@zos/core/testing'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readDeb } from '../dist/package/deb.js'
import { hasTool, inFolder, skip } from './host.js'

const member = (name: string, content: string, size = String(Buffer.byteLength(content))) =>
  `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${size.padEnd(10)}\`\n${content}${content.length % 2 ? '\n' : ''}`
const ar = (...members: string[]) => Buffer.from(`!<arch>\n${members.join('')}`, 'latin1')
const binary = member('debian-binary', '2.0\n')
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

test('the three members, with odd sizes, slashes and members of others', () => {
  const { control, data } = readDeb(
    ar(
      binary,
      member('_extra', 'x'),
      member('control.tar.xz/', 'abc'),
      member('_more', ''),
      member('data.tar', 'defgh'),
    ),
    'a.deb',
  )
  assert.equal([control.compression, text(control.bytes)], ['xz', 'abc'])
  assert.equal([data.compression, text(data.bytes)], ['none', 'defgh'])
})

test('errors name file and byte', () => {
  const [control, data] = [member('control.tar.gz', 'ab'), member('data.tar.zst', 'cd')]
  const cases: [Uint8Array, RegExp][] = [
    [Buffer.from(''), /a\.deb, byte 0: it does not begin with/],
    [ar(), /expected debian-binary first, found nothing/],
    [ar(control, data), /expected debian-binary first, found control\.tar\.gz/],
    [ar(member('debian-binary', '3.0\n'), control, data), /expected format 2\.0, found '3\.0'/],
    [ar(binary, data, control), /byte 72: expected control\.tar, found data\.tar\.zst/],
    [ar(binary, control), /expected data\.tar, found nothing/],
    [ar(binary, control, data, data), /data\.tar\.zst follows data\.tar/],
    [ar(binary, control, member('data.tar.bz2', 'x')), /data\.tar\.bz2 is compressed in a way that is not supported/],
    [ar(binary, member('control.tar.gz', 'ab', '99')), /control\.tar\.gz says it has 99 bytes, 2 are left/],
    [ar(binary, member('control.tar.gz', 'ab', '-1')), /the size '-1' of control\.tar\.gz is no number/],
    [ar(binary, member('a b', '')), /'a b' is no member name/],
    [ar(binary).subarray(0, 60), /the file ends inside a member header/],
    [Buffer.concat([ar(member('debian-binary', '2.0\nx', '5')).subarray(0, -1), Buffer.from('?')]), /no padding/],
  ]
  for (const [bytes, message] of cases) {
    const error = errorOf(() => readDeb(bytes, 'a.deb'))
    assert.is(error.code, 'DEBIAN_DEB')
    assert.match(error.message, message)
  }
})

test('property: any change of a package gives its parts or a ZosError', () => {
  const whole = ar(binary, member('control.tar.gz', 'abcdefg'), member('data.tar.xz', 'hijklm'))
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(60), fc.uint8Array({ maxLength: 20 }), (at, remove, insert) => {
      survives(() => readDeb(Buffer.concat([whole.subarray(0, at), insert, whole.subarray(at + remove)]), 'a.deb'))
    }),
    { numRuns: 3000 },
  )
})

if (!hasTool('dpkg-deb')) skip('packages made by dpkg-deb', 'there is no dpkg-deb')
else
  for (const compression of ['gzip', 'xz', 'zstd', 'none'] as const)
    test(`a package made by dpkg-deb, ${compression}`, () => {
      inFolder((folder) => {
        const root = join(folder, 'root')
        mkdirSync(join(root, 'DEBIAN'), { recursive: true })
        writeFileSync(
          join(root, 'DEBIAN', 'control'),
          'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n',
        )
        writeFileSync(join(root, 'file'), 'content\n')
        const path = join(folder, 'a.deb')
        const made = spawnSync(
          'dpkg-deb',
          ['--root-owner-group', `-Z${compression}`, '--no-uniform-compression', '-b', root, path],
          { encoding: 'utf8' },
        )
        assert.is(made.status, 0, made.stderr)
        const deb = readDeb(readFileSync(path), 'a.deb')
        assert.is(deb.data.compression, { gzip: 'gz', xz: 'xz', zstd: 'zst', none: 'none' }[compression])
        const expected = spawnSync('dpkg-deb', ['--fsys-tarfile', path]).stdout
        const decoder = { gzip: 'gzip', xz: 'xz', zstd: 'zstd', none: 'cat' }[compression]
        const args = decoder === 'cat' ? [] : ['-dc']
        if (decoder !== 'gzip' && !hasTool(decoder)) return
        const found =
          decoder === 'gzip' ? gunzipSync(deb.data.bytes) : spawnSync(decoder, args, { input: deb.data.bytes }).stdout
        assert.ok(found.equals(expected))
      })
    })

test.run()
