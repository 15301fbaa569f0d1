import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dpkgDatabase, type InstalledPackage } from '../dist/package/dpkg-status.js'
import { hasTool, inFolder, skip } from './host.js'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

const packages: InstalledPackage[] = [
  {
    name: 'tool',
    architecture: 'amd64',
    multiArch: 'no',
    control: [
      ['Package', 'tool'],
      ['Version', '1:2.0-3'],
      ['Architecture', 'amd64'],
      ['Maintainer', 'Jörg <j@example.org>'],
      ['Installed-Size', '12'],
      ['Depends', 'libtool1 (>= 1.0)'],
      ['Section', 'utils'],
      ['Priority', 'optional'],
      ['Description', 'a tool\nwith a long text\n.\nin two parts'],
    ],
    paths: ['/bin', '/bin/tool', '/etc', '/etc/tool.conf'],
    md5: { '/bin/tool': md5('tool\n'), '/etc/tool.conf': md5('conf\n') },
    conffiles: ['/etc/tool.conf'],
  },
  {
    name: 'libtool1',
    architecture: 'amd64',
    multiArch: 'same',
    control: [
      ['Package', 'libtool1'],
      ['Version', '1.0'],
      ['Architecture', 'amd64'],
      ['Multi-Arch', 'same'],
      ['Maintainer', 'x <x@example.org>'],
      ['Description', 'a library'],
    ],
    paths: ['/usr', '/usr/lib', '/usr/lib/libtool.so.1'],
    md5: { '/usr/lib/libtool.so.1': md5('lib\n') },
    conffiles: [],
  },
]

test('the files of the database', () => {
  const files = dpkgDatabase(packages)
  assert.equal(Object.keys(files), [
    '/var/lib/dpkg/status',
    '/var/lib/dpkg/available',
    '/var/lib/dpkg/info/format',
    '/var/lib/dpkg/info/libtool1:amd64.list',
    '/var/lib/dpkg/info/libtool1:amd64.md5sums',
    '/var/lib/dpkg/info/tool.list',
    '/var/lib/dpkg/info/tool.md5sums',
    '/var/lib/dpkg/info/tool.conffiles',
  ])
  assert.is(files['/var/lib/dpkg/info/tool.list'], '/.\n/bin\n/bin/tool\n/etc\n/etc/tool.conf\n')
  assert.is(files['/var/lib/dpkg/info/tool.md5sums'], `${md5('tool\n')}  bin/tool\n`)
  assert.match(files['/var/lib/dpkg/status']!, /^Package: libtool1\nStatus: install ok installed\nVersion: 1\.0\n/)
  assert.match(files['/var/lib/dpkg/status']!, new RegExp(`\nConffiles:\n /etc/tool.conf ${md5('conf\n')}\n\n$`))
  assert.equal(dpkgDatabase([...packages].reverse()), files)
})

test('what dpkg could not read is an error', () => {
  const [tool] = packages as [InstalledPackage]
  assert.match(
    errorOf(() => dpkgDatabase([{ ...tool, md5: {} }])).message,
    /no MD5 of the configuration file \/etc\/tool\.conf/,
  )
  assert.match(errorOf(() => dpkgDatabase([{ ...tool, paths: ['/a\nb'] }])).message, /cannot stand in dpkg's lists/)
  assert.match(errorOf(() => dpkgDatabase([{ ...tool, control: [] }])).message, /has no field Package/)
})

if (!hasTool('dpkg')) skip('dpkg reads the database', 'there is no dpkg')
else
  test('dpkg lists, searches and verifies what was written', () => {
    inFolder((root) => {
      const files = {
        ...dpkgDatabase(packages),
        '/bin/tool': 'tool\n',
        '/etc/tool.conf': 'conf\n',
        '/usr/lib/libtool.so.1': 'lib\n',
      }
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), content)
      }
      mkdirSync(join(root, 'var/lib/dpkg/updates'))
      const dpkg = (...args: string[]) =>
        spawnSync(args[0]!, [`--root=${root}`, ...args.slice(1)], {
          encoding: 'utf8',
          env: { ...process.env, LC_ALL: 'C', COLUMNS: '200' },
        })
      const list = dpkg('dpkg', '-l')
      assert.is(list.stderr, '')
      assert.equal(
        list.stdout
          .split('\n')
          .filter((line) => line.startsWith('ii'))
          .map((line) => line.split(/\s+/).slice(1, 4).join(' ')),
        ['libtool1:amd64 1.0 amd64', 'tool 1:2.0-3 amd64'],
      )
      assert.is(dpkg('dpkg-query', '-S', '/bin/tool').stdout, 'tool: /bin/tool\n')
      assert.is(dpkg('dpkg-query', '-L', 'tool').stdout, '/.\n/bin\n/bin/tool\n/etc\n/etc/tool.conf\n')
      const verified = dpkg('dpkg', '-V')
      assert.equal([verified.status, verified.stdout, verified.stderr], [0, '', ''])
      assert.is(dpkg('dpkg', '--audit').stdout, '')
      writeFileSync(join(root, 'bin/tool'), 'changed\n')
      writeFileSync(join(root, 'etc/tool.conf'), 'changed\n')
      assert.equal(dpkg('dpkg', '-V').stdout.trimEnd().split('\n').sort(), [
        '??5??????   /bin/tool',
        '??5?????? c /etc/tool.conf',
      ])
    })
  })

test.run()
