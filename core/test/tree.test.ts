import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeltaBuilder } from '../dist/model/delta.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { FileTree } from '../dist/model/tree.js'
import { directory, file, linkOf, mergedUsr, paths, symlink, throwsWith } from './tree-samples.js'

test('the empty tree is a root and nothing else', () => {
  assert.is(FileTree.empty.count, 0)
  assert.equal(FileTree.empty.get('/'), { kind: 'directory', mode: 0o755, uid: 0, gid: 0 })
  assert.is(FileTree.empty.resolve('/'), '/')
  assert.equal(FileTree.empty.list('/'), [])
  assert.is(FileTree.from([]).digest, FileTree.empty.digest)
})

test('from makes missing parents, and a later record states them', () => {
  const tree = FileTree.from([file('/root/.profile'), directory('/root', { mode: 0o700 })])
  assert.equal(paths(tree), ['/root', '/root/.profile'])
  assert.is(tree.get('/root')?.mode, 0o700)
  assert.is(tree.count, 2)
})

test('a record for / sets the attributes of the root', () => {
  const tree = FileTree.from([directory('/', { mode: 0o1777 })])
  assert.is(tree.get('/')?.mode, 0o1777)
  assert.is(tree.count, 0)
  assert.is.not(tree.digest, FileTree.empty.digest)
})

test('records come parents first, names in code unit order', () => {
  const tree = FileTree.from([file('/a/z'), file('/a-b'), file('/ä'), file('/a/B'), file('/a/b'), file('/Z')])
  assert.equal(paths(tree), ['/Z', '/a', '/a/B', '/a/b', '/a/z', '/a-b', '/ä'])
  assert.equal(tree.list('/a'), ['B', 'b', 'z'])
})

test('two records of one path: alike is fine, else a conflict that names both owners', () => {
  const bash = { plugin: 'debian', package: 'bash' }
  const dash = { plugin: 'debian', package: 'dash' }
  assert.is(FileTree.from([file('/x', 'same', { origin: bash }), file('/x', 'same', { origin: dash })]).count, 1)
  const error = throwsWith(
    () => FileTree.from([file('/bin/sh', 'a', { origin: bash }), file('/bin/sh', 'b', { origin: dash })]),
    'TREE_CONFLICT',
    '/bin/sh',
    'debian/bash',
    'debian/dash',
  )
  assert.equal(error.data.owners, ['debian/bash', 'debian/dash'])
  throwsWith(() => FileTree.from([file('/x', 'a'), file('/x', 'b')]), 'TREE_CONFLICT', '/x')
  throwsWith(() => FileTree.from([directory('/x'), directory('/x', { mode: 0o700 })]), 'TREE_CONFLICT', '/x')
})

test('a directory and something else never replace each other', () => {
  throwsWith(() => FileTree.from([directory('/x'), file('/x')]), 'TREE_KIND', '/x', 'directory', 'file')
  throwsWith(() => FileTree.from([file('/x'), directory('/x')]), 'TREE_KIND')
  throwsWith(() => FileTree.from([file('/lib/x'), symlink('/lib', 'usr/lib')]), 'TREE_KIND', '/lib')
  throwsWith(() => FileTree.from([file('/')]), 'TREE_PATH')
})

test('parents lead through directory links', () => {
  const tree = FileTree.from([...mergedUsr, file('/bin/sh'), directory('/lib/modules/6.12'), directory('/lib')])
  assert.equal(paths(tree), [
    '/bin',
    '/lib',
    '/usr',
    '/usr/bin',
    '/usr/bin/sh',
    '/usr/lib',
    '/usr/lib/modules',
    '/usr/lib/modules/6.12',
  ])
  assert.is(tree.get('/lib')?.kind, 'symlink')
  assert.is(tree.get('/bin/sh')?.kind, 'file')
  assert.is(tree.resolve('/bin/sh'), '/usr/bin/sh')
  throwsWith(
    () => FileTree.from([...mergedUsr, file('/bin/sh', 'a'), file('/usr/bin/sh', 'b')]),
    'TREE_CONFLICT',
    '/usr/bin/sh',
  )
})

test('a parent that is no directory is an error that names it', () => {
  throwsWith(
    () => FileTree.from([symlink('/lib64', 'usr/lib64'), file('/lib64/ld.so')]),
    'TREE_PARENT',
    '/lib64',
    'usr/lib64',
  )
  throwsWith(() => FileTree.from([file('/etc'), file('/etc/motd')]), 'TREE_PARENT', '/etc', 'file')
  throwsWith(() => FileTree.from([file('/f'), symlink('/l', 'f'), file('/l/x')]), 'TREE_PARENT', '/l', 'file')
  throwsWith(() => FileTree.from([symlink('/a', 'b'), symlink('/b', 'a'), file('/a/x')]), 'TREE_LOOP', '/a')
})

test('resolve follows links as the kernel does, and never leaves the root', () => {
  const tree = FileTree.from([
    file('/etc/passwd'),
    file('/usr/share/doc/a'),
    symlink('/usr/up', '../../../../etc'),
    symlink('/usr/share/abs', '/etc/passwd'),
    symlink('/usr/dots', './share/../share//doc/.'),
    symlink('/usr/slash', 'up/'),
    symlink('/slashfile', 'etc/passwd/'),
    symlink('/root', '/'),
    symlink('/above', '..'),
    symlink('/dangling', 'nothing/here'),
    symlink('/through', 'etc/passwd/../x'),
    symlink('/self', 'self'),
  ])
  const table: [string, string | undefined][] = [
    ['/', '/'],
    ['/usr/up', '/etc'],
    ['/usr/up/passwd', '/etc/passwd'],
    ['/usr/share/abs', '/etc/passwd'],
    ['/usr/dots/a', '/usr/share/doc/a'],
    ['/usr/slash/passwd', '/etc/passwd'],
    ['/slashfile', undefined],
    ['/root/root/above/etc', '/etc'],
    ['/above', '/'],
    ['/dangling', undefined],
    ['/through', undefined],
    ['/etc/passwd/x', undefined],
    ['/missing', undefined],
  ]
  for (const [path, expected] of table) assert.is(tree.resolve(path), expected, path)
  throwsWith(() => tree.resolve('/self'), 'TREE_LOOP', '/self')
  assert.is(tree.get('/self')?.kind, 'symlink')
  assert.is(tree.get('/dangling/x'), undefined)
  assert.equal(tree.list('/usr/up'), ['passwd'])
  assert.equal(tree.list('/etc/passwd'), [])
  assert.equal(tree.list('/missing'), [])
})

test('forty links on one way are followed, one more is a loop', () => {
  const chain = (length: number) => [
    directory('/end'),
    ...Array.from({ length }, (_, i) => symlink(`/l${i}`, i === 0 ? 'end' : `l${i - 1}`)),
  ]
  assert.is(FileTree.from(chain(40)).resolve('/l39'), '/end')
  throwsWith(() => FileTree.from(chain(41)).resolve('/l40'), 'TREE_LOOP', '/l40')
})

test('paths are checked', () => {
  const bad = [
    '',
    'etc',
    '/etc/',
    '//etc',
    '/etc//x',
    '/./x',
    '/x/..',
    '/a\0b',
    '/\ud800',
    `/${'x'.repeat(256)}`,
    `/${'ä'.repeat(128)}`,
    '/abc'.repeat(1025),
  ]
  for (const path of bad) {
    throwsWith(() => FileTree.from([file(path)]), 'TREE_PATH')
    throwsWith(() => FileTree.empty.get(path), 'TREE_PATH')
  }
  assert.is(
    FileTree.from([file(`/${'ä'.repeat(127)}x`), file('/abc'.repeat(1024)), file('/...'), file('/a\nb')]).count,
    1027,
  )
  throwsWith(() => FileTree.empty.get(undefined as unknown as string), 'TREE_PATH')
})

test('a path that gets too long behind a link is an error', () => {
  const deep = `/${'x'.repeat(250)}`.repeat(15)
  throwsWith(
    () => FileTree.from([directory(deep), symlink('/l', deep), file(`/l${`/${'y'.repeat(200)}`.repeat(2)}`)]),
    'TREE_PATH',
    'bytes',
  )
})

test('records are checked', () => {
  const good = file('/x') as TreeRecord & { kind: 'file' }
  const bad: TreeRecord[] = [
    { ...good, mode: 0o100644 },
    { ...good, mode: -1 },
    { ...good, uid: 0.5 },
    { ...good, gid: 2 ** 32 },
    { ...good, blob: { sha256: 'ABC', size: 1 } },
    { ...good, blob: { ...good.blob, size: -1 } },
    { ...good, xattrs: { capability: 'AA==' } },
    { ...good, xattrs: { 'user.x': 'no base64!' } },
    { ...good, origin: { plugin: '' } },
    symlink('/x', ''),
    symlink('/x', 'a\0b'),
    { ...good, kind: 'character', major: 4096, minor: 0 },
    { ...good, kind: 'socket' } as unknown as TreeRecord,
  ]
  for (const record of bad) throwsWith(() => FileTree.from([record]), 'TREE_RECORD', '/x')
})

test('entries are copies that nobody can change', () => {
  const record = file('/x') as { mode: number } & TreeRecord
  const tree = FileTree.from([record])
  const { digest } = tree
  record.mode = 0
  assert.is(tree.get('/x')?.mode, 0o644)
  assert.throws(() => {
    ;(tree.get('/x') as { mode: number }).mode = 0
  })
  assert.is(FileTree.from(tree.records()).digest, digest)
})

test('subtree is a root of its own, mount the reverse', () => {
  const tree = FileTree.from([
    ...mergedUsr,
    file('/usr/bin/sh'),
    directory('/usr/lib/x', { mode: 0o700 }),
    file('/etc/motd'),
  ])
  const usr = tree.subtree('/usr')
  assert.equal(paths(usr), ['/bin', '/bin/sh', '/lib', '/lib/x'])
  assert.is(usr.digest, tree.digestAt('/usr'))
  assert.is(tree.subtree('/bin').digest, tree.digestAt('/usr/bin'))
  assert.is(tree.subtree('/lib/x').get('/')?.mode, 0o700)
  assert.is(tree.subtree('/missing'), FileTree.empty)
  assert.is(tree.mount('/usr', usr).digest, tree.digest)
  assert.is(tree.mount('/', usr), usr)
  const mounted = tree.mount('/bin', FileTree.from([file('/new')]))
  assert.equal([mounted.list('/usr/bin'), mounted.get('/bin')?.kind], [['new'], 'symlink'])
  assert.equal(FileTree.empty.mount('/a/b', FileTree.empty).list('/a'), ['b'])
  throwsWith(() => tree.mount('/etc/motd', usr), 'TREE_KIND', '/etc/motd')
  throwsWith(() => tree.mount('/etc/motd/x', usr), 'TREE_PARENT', '/etc/motd')
  const deep = `/${'x'.repeat(250)}`.repeat(16)
  throwsWith(() => FileTree.empty.mount(deep, FileTree.from([file(`/${'y'.repeat(100)}`)])), 'TREE_PATH', 'bytes')
})

test('filter keeps the directories that hold something kept', () => {
  const tree = FileTree.from([directory('/a', { mode: 0o700 }), file('/a/b/x'), file('/a/c/y'), directory('/d')])
  assert.equal(paths(tree.filter(({ path }) => path.endsWith('x'))), ['/a', '/a/b', '/a/b/x'])
  assert.is(tree.filter(({ path }) => path.endsWith('x')).get('/a')?.mode, 0o700)
  assert.equal(paths(tree.filter(({ kind }) => kind === 'directory')), ['/a', '/a/b', '/a/c', '/d'])
  assert.is(
    tree.filter(() => true),
    tree,
  )
  assert.is(tree.filter(() => false).count, 0)
})

test('the digest is of content: origins do not count, everything else does', () => {
  const base = FileTree.from([file('/a/x', 'x')]).digest
  assert.is(FileTree.from([file('/a/x', 'x', { origin: { plugin: 'p' } })]).digest, base)
  const others: TreeRecord[][] = [
    [file('/a/y', 'x')],
    [file('/a/x', 'y')],
    [file('/a/x', 'x', { mode: 0o600 })],
    [file('/a/x', 'x', { xattrs: { 'user.a': 'AA==' } })],
    [file('/a/x', 'x'), directory('/a', { mode: 0o700 })],
    [symlink('/a/x', 'x')],
    [directory('/a/x')],
    [file('/a/x', 'x'), file('/b', 'x')],
    [file('/a/x', 'x', { link: '/b' }), file('/b', 'x', { link: '/b' })],
  ]
  const digests = others.map((records) => FileTree.from(records).digest)
  assert.is(new Set([base, ...digests]).size, others.length + 1)
  assert.match(base, /^[0-9a-f]{64}$/)
  assert.is(FileTree.empty.digestAt('/missing'), undefined)
})

test('hard links: the name of a group is its first path, whatever it was called', () => {
  const tree = FileTree.from([
    ...mergedUsr,
    file('/bin/b', 'one', { link: '/bin/z' }),
    file('/usr/bin/z', 'one'),
    file('/bin/a', 'one', { link: '/usr/bin/b' }),
    file('/usr/bin/alone', 'one', { link: '/bin/gone' }),
  ])
  for (const name of ['a', 'b', 'z']) assert.is(linkOf(tree.get(`/usr/bin/${name}`)), '/usr/bin/a', name)
  assert.is(linkOf(tree.get('/usr/bin/alone')), undefined)
  throwsWith(
    () => FileTree.from([file('/a', 'a', { link: '/a' }), file('/b', 'b', { link: '/a' })]),
    'TREE_LINK',
    '/a',
    '/b',
  )
})

test('hard links follow subtree, filter and mount', () => {
  const one = { link: '/usr/a' }
  const tree = FileTree.from([file('/usr/a', 'x', one), file('/usr/b', 'x', one), file('/opt/c', 'x', one)])
  assert.is(linkOf(tree.get('/usr/b')), '/opt/c')
  assert.is(linkOf(tree.subtree('/usr').get('/b')), '/a')
  assert.is(linkOf(tree.subtree('/opt').get('/c')), undefined)
  assert.is(linkOf(tree.filter(({ path }) => path !== '/opt/c').get('/usr/b')), '/usr/a')
  assert.is(linkOf(tree.filter(({ path }) => path === '/usr/b').get('/usr/b')), undefined)
  const twice = tree.mount('/opt', tree.subtree('/usr'))
  assert.is(linkOf(twice.get('/opt/b')), '/opt/a')
  assert.is(linkOf(twice.get('/usr/b')), '/usr/a')
  assert.is(tree.subtree('/usr').digest, tree.digestAt('/usr'))
  const apart = FileTree.from([file('/usr/a', 'x', one), file('/usr/b', 'x', one), file('/opt/c', 'x')])
  assert.equal(
    Array.from(tree.diff(apart), ({ path }) => path),
    ['/opt/c', '/usr/a', '/usr/b'],
  )
})

test('diff yields parents first, and everything below what came or went', () => {
  const before = FileTree.from([file('/a/x', '1'), file('/a/y'), file('/gone/x'), file('/kind/x'), file('/same/x')])
  const after = FileTree.from([
    file('/a/x', '2'),
    file('/a/y'),
    file('/new/x'),
    file('/kind'),
    file('/same/x'),
    directory('/a', { mode: 0o700 }),
  ])
  const seen = Array.from(before.diff(after), (d) => `${d.before ? '-' : ''}${d.after ? '+' : ''} ${d.path}`)
  assert.equal(seen, ['-+ /a', '-+ /a/x', '- /gone', '- /gone/x', '-+ /kind', '- /kind/x', '+ /new', '+ /new/x'])
  assert.equal([...before.diff(before)], [])
})

test('the deepest path that fits works everywhere', () => {
  const deepest = '/a'.repeat(2048)
  const tree = FileTree.from([directory(deepest)])
  assert.is(tree.count, 2048)
  assert.is(FileTree.decode(tree.encode()).digest, tree.digest)
  assert.is([...FileTree.empty.diff(tree)].length, 2048)
  assert.equal(
    tree.glob('/**/a').map(({ path }) => path),
    paths(tree),
  )
  assert.is(tree.filter(({ path }) => path === deepest).count, 2048)
  assert.is(FileTree.empty.apply(new DeltaBuilder().tree(tree).build(), { plugin: 'p' }).digest, tree.digest)
  assert.is(tree.apply(new DeltaBuilder().tree(tree).build(), { plugin: 'p' }).digest, tree.digest)
})

test.run()
