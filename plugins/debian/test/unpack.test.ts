import { createHash } from 'node:crypto'
import type { TreeRecord } from '@zos/core'
import { errorOf, MemoryBlobs } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { unpackedPackage } from '../dist/package/layers.js'
import { isDocumentation } from '../dist/package/leave-out.js'
import { mergedPath, mergeUsr } from '../dist/package/merge-usr.js'
import { unpackDeb } from '../dist/package/unpack.js'
import { hasTool, skip } from './host.js'
import { makeDeb } from './made-package.js'

const attributes = { mode: 0o755, uid: 0, gid: 0 }
const blob = (digit: string) => ({ sha256: digit.repeat(64), size: 1 })
const file = (path: string, digit = 'a', link?: string): TreeRecord => ({
  kind: 'file',
  path,
  blob: blob(digit),
  ...attributes,
  ...(link && { link }),
})
const link = (path: string, target: string): TreeRecord => ({ kind: 'symlink', path, target, ...attributes })
const folder = (path: string): TreeRecord => ({ kind: 'directory', path, ...attributes })

test('paths of a merged /usr', () => {
  assert.equal(['/bin', '/bin/sh', '/lib64/ld.so', '/library/x', '/usr/bin/x', '/'].map(mergedPath), [
    '/usr/bin',
    '/usr/bin/sh',
    '/usr/lib64/ld.so',
    '/library/x',
    '/usr/bin/x',
    '/',
  ])
})

test('records move below /usr; folders that were two become one; hard links follow', () => {
  const merged = mergeUsr(
    [
      folder('/bin'),
      file('/bin/a'),
      file('/bin/b', 'a', '/bin/a'),
      folder('/usr'),
      folder('/usr/bin'),
      link('/lib/x', '/etc/x'),
    ],
    'one',
  )
  assert.equal(
    merged.map((record) => [record.path, record.kind === 'file' ? record.link : undefined]),
    [
      ['/usr/bin', undefined],
      ['/usr/bin/a', undefined],
      ['/usr/bin/b', '/usr/bin/a'],
      ['/usr', undefined],
      ['/usr/lib/x', undefined],
    ],
  )
})

test('links that would point to themselves go', () => {
  for (const target of ['/bin/a', '../../bin/a', '../../usr/bin/a'])
    assert.equal(mergeUsr([file('/bin/a'), link('/usr/bin/a', target)], 'one'), [file('/usr/bin/a')], target)
  assert.equal(mergeUsr([link('/bin/a', '/usr/bin/a'), file('/usr/bin/a')], 'one'), [file('/usr/bin/a')])
  assert.equal(mergeUsr([link('/bin/a', 'b')], 'one'), [link('/usr/bin/a', 'b')])
})

test('two different things at one path are an error', () => {
  assert.equal(mergeUsr([file('/bin/a'), file('/usr/bin/a')], 'one').length, 1)
  const error = errorOf(() => mergeUsr([file('/bin/a'), file('/usr/bin/a', 'b')], 'one'))
  assert.is(error.code, 'DEBIAN_MERGED_USR')
  assert.match(error.message, /one has a file and a file at \/usr\/bin\/a/)
})

test('documentation is left out, licences are not', () => {
  assert.ok(
    ['/usr/share/doc/a/README', '/usr/share/man/man1/a.1.gz', '/usr/share/locale/de/LC_MESSAGES/a.mo'].every(
      isDocumentation,
    ),
  )
  assert.not(
    ['/usr/share/doc/a/copyright', '/usr/share/a/doc/x', '/usr/share/i18n/x', '/etc/doc/x'].some(isDocumentation),
  )
})

if (!hasTool('dpkg-deb')) skip('packages made by dpkg-deb', 'there is no dpkg-deb')
else {
  const deb = makeDeb({
    control:
      'Package: tool\nVersion: 1\nArchitecture: amd64\nMulti-Arch: same\nSource: tools (2)\nMaintainer: Jörg <j@example.org>\nDescription: a tool\n and more\n',
    files: {
      'bin/tool': 'tool\n',
      'bin/tool2': '=> bin/tool',
      'sbin/su': 'su\n',
      'usr/bin/tool': '-> /bin/tool',
      'etc/tool.conf': 'conf\n',
      'usr/share/doc/tool/copyright': 'free\n',
      'usr/share/doc/tool/README': 'read\n',
      'usr/share/man/man1/tool.1': 'man\n',
      'var/lib/tool': '/',
    },
    modes: { 'bin/tool': 0o755, 'sbin/su': 0o4755, 'var/lib/tool': 0o700 },
    scripts: {
      conffiles: '/etc/tool.conf\nremove-on-upgrade /etc/gone.conf\n',
      md5sums: `${createHash('md5').update('tool\n').digest('hex')}  bin/tool\n${'0'.repeat(32)}  usr/share/man/man1/tool.1\n`,
      postinst: '#!/bin/sh\nset -e\nupdate-alternatives --install /usr/bin/t t /usr/bin/tool 5\n',
      preinst: '#!/bin/sh\nadduser tool\n',
    },
  })
  const options = { name: 'tool', plugin: 'debian', documentation: false }

  test('a package as a tree and facts', async () => {
    const blobs = new MemoryBlobs()
    const { tree, facts } = unpackedPackage('tool', await unpackDeb(deb, options, blobs))
    assert.equal(
      [...tree.records()].map(({ path, kind, mode }) => `${path} ${kind} ${mode.toString(8)}`),
      [
        '/etc directory 755',
        '/etc/tool.conf file 644',
        '/usr directory 755',
        '/usr/bin directory 755',
        '/usr/bin/tool file 755',
        '/usr/bin/tool2 file 755',
        '/usr/sbin directory 755',
        '/usr/sbin/su file 4755',
        '/usr/share directory 755',
        '/usr/share/doc directory 755',
        '/usr/share/doc/tool directory 755',
        '/usr/share/doc/tool/copyright file 644',
        '/var directory 755',
        '/var/lib directory 755',
        '/var/lib/tool directory 700',
      ],
    )
    const [tool, tool2] = ['/usr/bin/tool', '/usr/bin/tool2'].map((path) => tree.get(path))
    assert.ok(tool?.kind === 'file' && tool2?.kind === 'file' && tool.link === tool2.link && tool.link !== undefined)
    assert.equal(tool.origin, { plugin: 'debian', package: 'tool', source: 'tools' })
    assert.equal(facts.control[5], ['Maintainer', 'Jörg <j@example.org>'])
    assert.equal(facts.conffiles, ['/etc/tool.conf'])
    assert.equal(facts.md5, {
      '/bin/tool': createHash('md5').update('tool\n').digest('hex'),
      '/etc/tool.conf': createHash('md5').update('conf\n').digest('hex'),
    })
    assert.ok(facts.paths.includes('/bin/tool') && !facts.paths.includes('/usr/share/man'))
    assert.equal(facts.scripts, ['preinst'])
    assert.equal(facts.alternatives, [{ link: '/usr/bin/t', target: '/usr/bin/tool', priority: 5 }])
  })

  test('documentation on request', async () => {
    const artifact = await unpackDeb(deb, { ...options, documentation: true }, new MemoryBlobs())
    assert.ok(unpackedPackage('tool', artifact).tree.get('/usr/share/man/man1/tool.1'))
  })

  test('a package that is another one is refused', async () => {
    try {
      await unpackDeb(deb, { ...options, name: 'other' }, new MemoryBlobs())
      assert.unreachable()
    } catch (error) {
      assert.match(
        errorOf(() => {
          throw error
        }).message,
        /the package that should be other says it is tool/,
      )
    }
  })
}

test.run()
