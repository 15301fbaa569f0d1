import { type Artifact, type FileTree, isZosError } from '@zos/core'
import { errorOf, MemoryBlobs } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { PackageInfo } from '../dist/format/pkginfo.js'
import { readApk } from '../dist/format/read-apk.js'
import { addAccounts, idsByName, minimalFiles } from '../dist/install/accounts.js'
import type { PackageFacts, UnpackedPackage } from '../dist/install/facts.js'
import { layPackages } from '../dist/install/layers.js'
import { type RootFacts, rootTree } from '../dist/install/root-tree.js'
import { accountsIn, mayMatter } from '../dist/install/scripts.js'
import { unpackApk } from '../dist/install/unpack.js'
import { type MadePackage, madeKey, makeApk } from './made-package.js'

const key = madeKey()
const blobs = new MemoryBlobs()

const unpacked = async (name: string, made: MadePackage): Promise<UnpackedPackage> => {
  const bytes = await makeApk(name, '1-r0', made, key)
  const { trees, facts } = await unpackApk(bytes, { name, plugin: 'alpine' }, blobs)
  const { checksum } = await readApk(bytes, name)
  return { name, control: checksum, tree: trees!.tree!, facts: facts as unknown as PackageFacts }
}
const info = (values: Partial<PackageInfo>): Partial<PackageInfo> => values
const config = {
  arch: 'x86_64',
  world: ['a', 'b>1'],
  repositories: ['https://example.org/v3.22/main'],
  keys: { 'own.rsa.pub': 'PEM\n' },
} as const
const built = async (
  ...packages: UnpackedPackage[]
): Promise<{ root: Artifact; tree: FileTree; facts: RootFacts; text(path: string): Promise<string> }> => {
  const root = await rootTree(packages, config, 'alpine', blobs)
  const tree = root.trees!.tree!
  const text = async (path: string) => {
    const entry = tree.get(tree.resolve(path) ?? path)
    if (entry?.kind !== 'file') throw new Error(`no file ${path}`)
    return blobs.text(entry.blob)
  }
  return { root, tree, facts: root.facts as unknown as RootFacts, text }
}

test('a file of two packages: replaces by priority, one origin in install order, else an error with both', async () => {
  const a = await unpacked('a', { files: { '/etc/f': 'a', '/etc/own': 'a' } })
  const b = await unpacked('b', { info: info({ replaces: ['a'] }), files: { '/etc/f': 'b' } })
  const c = await unpacked('c', { files: { '/etc/f': 'c' } })
  const owner = (...packages: UnpackedPackage[]) => layPackages(packages, 'alpine').tree.get('/etc/f')?.origin?.package
  assert.is(owner(a, b), 'b')
  assert.is(owner(b, a), 'b')
  assert.equal([...layPackages([a, b], 'alpine').lost.get(a)!], ['/etc/f'])
  const strong = await unpacked('a', { info: info({ replaces: ['b'], replacesPriority: 9 }), files: { '/etc/f': 'a' } })
  assert.is(owner(strong, b), 'a')
  const [first, second] = [
    await unpacked('x', { info: info({ origin: 'o' }), files: { '/etc/f': 'x' } }),
    await unpacked('y', { info: info({ origin: 'o' }), files: { '/etc/f': 'y' } }),
  ]
  assert.is(owner(first, second), 'y')
  const { code, message } = errorOf(() => layPackages([a, c], 'alpine'))
  assert.is(code, 'ALPINE_CONFLICT')
  assert.is(message, 'both a and c bring /etc/f, and neither replaces the other')
  const same = await unpacked('same', { files: { '/etc/f': 'a' } })
  assert.is(owner(a, same), 'a')
})

test('a file below a linked folder meets the one in the real place', async () => {
  const a = await unpacked('a', { files: { '/usr/lib/f': 'a', '/lib': '-> usr/lib' } })
  const b = await unpacked('b', { files: { '/lib/f': 'b' } })
  try {
    layPackages([a, b], 'alpine')
    assert.unreachable()
  } catch (error) {
    assert.ok(isZosError(error), String(error))
    assert.match(error.message, /\/usr\/lib\/f|\/lib/)
  }
})

test('the database has owners, modes, links, hard links, extended attributes, and not what others took', async () => {
  const a = await unpacked('a', {
    info: info({ replaces: ['old'], replacesPriority: 3, triggers: ['/etc'] }),
    files: { '/etc/f': 'a', '/etc/l': '-> f', '/usr/bin/x': 'x', '/usr/bin/y': '=> /usr/bin/x', '/var/e': '/' },
    modes: { '/usr/bin/x': 0o4755, '/var/e': 0o1777 },
    xattrs: { '/etc/f': { 'user.a': Buffer.from('1').toString('base64') } },
    scripts: { trigger: '#!/bin/sh\nexit 0\n' },
  })
  const b = await unpacked('b', { info: info({ replaces: ['a'] }), files: { '/etc/f': 'b' } })
  const { text, tree } = await built(a, b)
  const database = await text('/lib/apk/db/installed')
  const [first, second] = database.split('\n\n')
  assert.match(first!, /\nr:old\nq:3\nF:etc\nR:l\na:0:0:777\nZ:Q1/)
  assert.not.match(first!, /R:f\n/)
  assert.match(first!, /F:usr\/bin\nR:x\na:0:0:4755\nZ:(\S+)\nR:y\na:0:0:4755\nZ:\1\n/)
  assert.match(first!, /F:var\/e\nM:0:0:1777/)
  assert.match(second!, /^C:Q1\S+\nP:b\n[\s\S]*\nr:a\nF:etc\nR:f\nZ:/)
  assert.is(await text('/lib/apk/db/triggers'), `${a.control} /etc\n`)
  assert.is(tree.get('/lib/apk/db/lock')?.mode, 0o600)
  assert.is(await text('/etc/apk/world'), 'a\nb>1\n')
  assert.is(await text('/etc/apk/keys/own.rsa.pub'), 'PEM\n')
  const alone = await built(a)
  assert.match(await alone.text('/lib/apk/db/installed'), /R:f\na:0:0:644:Q1\S+\nZ:/)
})

test('users and groups: read from scripts, with ids that do not depend on what else is there', async () => {
  const script =
    '#!/bin/sh\n# comment\naddgroup -S redis 2>/dev/null\nadduser -S -D -H -h /var/lib/redis -s /sbin/nologin -G redis -g "redis server" redis 2>/dev/null\naddgroup redis tty\n\nexit 0\n'
  assert.not.ok(mayMatter(script))
  assert.ok(mayMatter(`${script}chown redis /x\n`))
  assert.ok(mayMatter('adduser $USER\n'))
  assert.ok(mayMatter('echo x > /etc/x\n'))
  const accounts = accountsIn(script)
  assert.equal(accounts.users, [
    {
      name: 'redis',
      group: 'redis',
      comment: 'redis server',
      home: '/var/lib/redis',
      shell: '/sbin/nologin',
      groups: ['tty'],
    },
  ])
  const alone = addAccounts(minimalFiles, accounts)
  const other = {
    users: [{ name: 'aaa', group: 'aaa', home: '/', shell: '/sbin/nologin' }],
    groups: [
      { name: 'fixed', gid: 42 },
      { name: 'gid', gid: 77 },
    ],
  }
  const both = addAccounts(minimalFiles, {
    users: [...other.users, ...accounts.users],
    groups: [...other.groups, ...accounts.groups],
  })
  assert.is(idsByName(both.passwd).get('redis'), idsByName(alone.passwd).get('redis'))
  assert.match(alone.passwd, /^redis:x:[5-8]\d\d:[5-8]\d\d:redis server:\/var\/lib\/redis:\/sbin\/nologin$/m)
  assert.match(alone.group, /^tty:x:5:redis$/m)
  assert.match(alone.shadow, /^redis:!::0:::::$/m)
  assert.is(idsByName(both.group).get('gid'), 77)
  assert.equal(addAccounts(alone, accounts), alone, 'again changes nothing')
})

test('rules: accounts, applets, certificates; a script without a rule is named', async () => {
  const busybox = await unpacked('busybox', {
    files: { '/bin/busybox': 'elf', '/etc/busybox-paths.d/busybox': 'bin/ls\nusr/bin/[\n' },
    scripts: { 'post-install': '/bin/busybox --install -s\n' },
  })
  const certificates = await unpacked('ca-certificates', {
    files: {
      '/etc/ca-certificates.conf': 'mozilla/B.crt\n!mozilla/no.crt\nmozilla/A.crt\n',
      '/usr/share/ca-certificates/mozilla/A.crt': 'A\n',
      '/usr/share/ca-certificates/mozilla/B.crt': 'B',
    },
  })
  const strange = await unpacked('strange', {
    files: { '/etc/s': 's' },
    scripts: { 'post-install': 'mknod /dev/x\n', 'post-upgrade': 'x\n' },
  })
  const { facts, text, tree } = await built(busybox, certificates, strange)
  assert.equal(facts.unruled, [{ name: 'strange', scripts: ['post-install'] }])
  assert.equal(facts.applets, [{ binary: '/bin/busybox', paths: ['/bin/ls', '/usr/bin/['] }])
  assert.is(await text('/etc/ssl/certs/ca-certificates.crt'), 'A\nB\n')
  assert.equal(tree.get('/etc/ssl/certs/ca-cert-A.pem')?.kind, 'symlink')
  assert.match(await text('/etc/passwd'), /^klogd:/m)
  assert.equal(facts.packages, { busybox: '1-r0', 'ca-certificates': '1-r0', strange: '1-r0' })
})

test.run()
