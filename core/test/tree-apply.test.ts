import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DeltaBuilder, type Over } from '../dist/model/delta.js'
import { FileTree } from '../dist/model/tree.js'
import { blob, directory, file, linkOf, mergedUsr, paths, symlink, throwsWith } from './tree-samples.js'

const alpha = { plugin: 'alpha' }
const beta = { plugin: 'beta' }
const delta = (over?: Over) => new DeltaBuilder({ over })
const base = FileTree.from(mergedUsr).apply(delta().file('/bin/tool', 'one').build(), alpha)

test('each put has its usual attributes, and the plugin as origin', () => {
  const tree = FileTree.empty.apply(
    delta()
      .file('/f', 'text')
      .directory('/d')
      .symlink('/l', 'missing')
      .device('/c', 'character', 1, 3, { mode: 0o666 })
      .device('/b', 'block', 8, 0, { gid: 6 })
      .file('/p', blob('kept'), { uid: 1, xattrs: { 'user.a': 'AA==' }, package: 'pkg', source: 'src' })
      .build(),
    alpha,
  )
  const owner = { uid: 0, gid: 0, origin: alpha }
  assert.equal(tree.get('/f'), { kind: 'file', mode: 0o644, ...owner, blob: blob('text') })
  assert.equal(tree.get('/d'), { kind: 'directory', mode: 0o755, ...owner })
  assert.equal(tree.get('/l'), { kind: 'symlink', mode: 0o777, ...owner, target: 'missing' })
  assert.equal(tree.get('/c'), { kind: 'character', mode: 0o666, ...owner, major: 1, minor: 3 })
  assert.equal(tree.get('/b'), { kind: 'block', mode: 0o600, ...owner, gid: 6, major: 8, minor: 0 })
  assert.equal(tree.get('/p'), {
    kind: 'file',
    mode: 0o644,
    uid: 1,
    gid: 0,
    xattrs: { 'user.a': 'AA==' },
    origin: { plugin: 'alpha', package: 'pkg', source: 'src' },
    blob: blob('kept'),
  })
})

test('text and bytes are kept beside the changes, as they were', () => {
  const bytes = new Uint8Array([1, 2, 3])
  const built = delta().file('/a', bytes).file('/b', 'ä').replace('/c', 'ä').file('/d', blob('elsewhere')).build()
  bytes.fill(0)
  assert.equal([...built.contents.keys()].sort(), [blob('ä').sha256, blob('\x01\x02\x03').sha256].sort())
  assert.equal([...built.contents.get(blob('\x01\x02\x03').sha256)!], [1, 2, 3])
})

test('another plugin or package on the same path is a conflict that names both', () => {
  const error = throwsWith(
    () => base.apply(delta().file('/usr/bin/tool', 'two').build(), beta),
    'TREE_CONFLICT',
    '/usr/bin/tool',
    'alpha',
    'beta',
  )
  assert.ok(error.hint.join().includes("over: ['alpha']"))
  const packages = (second: string) =>
    FileTree.empty.apply(
      delta().file('/x', 'one', { package: 'bash' }).file('/x', 'two', { package: second }).build(),
      alpha,
    )
  throwsWith(() => packages('dash'), 'TREE_CONFLICT', 'alpha/bash', 'alpha/dash')
  assert.equal(packages('bash').get('/x')?.origin, { ...alpha, package: 'bash' })
  assert.is(packages('bash').digest, FileTree.from([file('/x', 'two')]).digest)
  throwsWith(() => FileTree.from([file('/x')]).apply(delta().file('/x', 'two').build(), beta), 'TREE_CONFLICT', '/x')
})

test('an equal record keeps its first owner', () => {
  const again = base.apply(delta().file('/bin/tool', 'one').build(), beta)
  assert.equal(again.get('/bin/tool')?.origin, alpha)
  throwsWith(() => base.apply(delta().file('/bin/tool', 'one', { mode: 0o755 }).build(), beta), 'TREE_CONFLICT')
})

test('over names plugins, packages or plugin/package whose files may be replaced', () => {
  const tree = FileTree.empty.apply(delta().file('/x', 'one', { package: 'bash' }).build(), alpha)
  for (const over of ['any', ['alpha'], ['bash'], ['zsh', 'alpha/bash']] as const) {
    const replaced = tree.apply(delta(over).file('/x', 'two').build(), beta)
    assert.equal(replaced.get('/x')?.origin, beta)
  }
  for (const over of [[], ['beta'], ['alpha/zsh']]) {
    throwsWith(() => tree.apply(delta(over).file('/x', 'two').build(), beta), 'TREE_CONFLICT')
  }
  throwsWith(() => tree.apply(delta('any').directory('/x').build(), beta), 'TREE_KIND', '/x')
})

test('directories: what is given wins, what is not stays', () => {
  const tree = FileTree.empty.apply(delta().directory('/d', { mode: 0o700, uid: 5 }).build(), alpha)
  const entry = (change: DeltaBuilder) => tree.apply(change.build(), beta).get('/d')
  assert.equal(entry(delta().directory('/d')), tree.get('/d'))
  assert.equal(entry(delta().directory('/d', { mode: 0o711 })), { ...tree.get('/d'), mode: 0o711 })
  assert.equal(entry(delta().tree(FileTree.from([directory('/d', { origin: beta })]))), tree.get('/d'))
  assert.equal(entry(delta().set('/d', { uid: 0 })), { ...tree.get('/d'), uid: 0 })
})

test('a directory that was only made as a parent belongs to the first who states it', () => {
  const tree = FileTree.empty.apply(delta().file('/root/x', '').build(), alpha)
  assert.is(tree.get('/root')?.origin, undefined)
  const bulk = FileTree.from([directory('/root', { mode: 0o700, origin: { plugin: 'debian', package: 'base-files' } })])
  const stated = tree.apply(delta().tree(bulk).build(), beta)
  assert.is(stated.get('/root')?.mode, 0o700)
  assert.equal(stated.get('/root')?.origin, { plugin: 'debian', package: 'base-files' })
  assert.equal(tree.apply(delta().directory('/root').build(), beta).get('/root')?.origin, beta)
})

test('a directory may be put onto a link to a directory; nothing is below a link', () => {
  const tree = base.apply(
    delta()
      .directory('/lib', { mode: 0o711 })
      .tree(FileTree.from([file('/lib/firmware/a', 'a'), directory('/usr/lib/firmware'), file('/usr/lib/firmware/b')]))
      .build(),
    beta,
  )
  assert.is(tree.get('/lib')?.kind, 'symlink')
  assert.is(tree.get('/usr/lib')?.mode, 0o711)
  assert.equal(tree.list('/lib/firmware'), ['a', 'b'])
  throwsWith(
    () =>
      base.apply(
        delta()
          .tree(FileTree.from([file('/bin/tool', 'two')]))
          .build(),
        beta,
      ),
    'TREE_CONFLICT',
    '/usr/bin/tool',
    'alpha',
    'beta',
  )
  throwsWith(() => base.apply(delta().symlink('/usr/lib', 'x').build(), beta), 'TREE_KIND', '/usr/lib')
  throwsWith(() => base.apply(delta().directory('/bin/tool').build(), beta), 'TREE_KIND', '/usr/bin/tool')
  const dangling = delta().symlink('/srv', 'var/srv')
  throwsWith(() => base.apply(dangling.file('/srv/x', '').build(), beta), 'TREE_PARENT', '/srv', 'var/srv')
  throwsWith(() => base.apply(delta().symlink('/srv', 'no').directory('/srv').build(), beta), 'TREE_PARENT', '/srv')
})

test('links that climb stay inside, and writing through them too', () => {
  const tree = FileTree.empty.apply(
    delta().directory('/a').symlink('/a/up', '../../../..').file('/a/up/etc/passwd', 'x').build(),
    alpha,
  )
  assert.equal(paths(tree), ['/a', '/a/up', '/etc', '/etc/passwd'])
})

test('tree puts all records with their origins at a place', () => {
  const bulk = FileTree.from([
    directory('/', { mode: 0o750 }),
    file('/x', 'x', { origin: { plugin: 'debian', package: 'p' } }),
    file('/y'),
    directory('/z', { mode: 0o700 }),
  ])
  const tree = base.apply(delta().tree(bulk, '/opt/app').build(), beta)
  assert.equal(tree.get('/opt/app/x')?.origin, { plugin: 'debian', package: 'p' })
  assert.equal(tree.get('/opt/app/y')?.origin, beta)
  assert.equal(tree.get('/opt/app/z')?.origin, beta)
  assert.is(tree.get('/opt/app')?.mode, 0o750)
  assert.is(tree.digestAt('/opt/app'), bulk.digest)
  assert.is(tree.apply(delta().tree(bulk, '/opt/app').build(), beta).digest, tree.digest)
  throwsWith(() => base.apply(delta().tree(bulk, '/bin/tool').build(), beta), 'TREE_KIND', '/usr/bin/tool')
  const deep = `/${'x'.repeat(250)}`.repeat(16)
  const long = FileTree.from([file(`/${'y'.repeat(100)}`)])
  throwsWith(() => FileTree.empty.apply(delta().directory(deep).tree(long, deep).build(), beta), 'TREE_PATH', 'bytes')
})

test('replace takes a file over and keeps what is not given', () => {
  const tree = base
    .apply(
      delta()
        .set('/bin/tool', { mode: 0o4755, xattrs: { 'user.a': 'AA==' } })
        .build(),
      alpha,
    )
    .apply(delta().replace('/bin/tool', 'two', { uid: 7 }).build(), beta)
  const entry = tree.get('/usr/bin/tool')
  assert.equal(entry, {
    kind: 'file',
    mode: 0o4755,
    uid: 7,
    gid: 0,
    xattrs: { 'user.a': 'AA==' },
    origin: beta,
    blob: blob('two'),
  })
  const link = base.apply(delta().symlink('/l', 'usr').replace('/l', 'now a file').build(), beta)
  assert.is(link.get('/l')?.mode, 0o644)
  throwsWith(() => base.apply(delta().replace('/usr', 'x').build(), beta), 'TREE_KIND', '/usr')
  throwsWith(() => base.apply(delta().replace('/gone', 'x').build(), beta), 'TREE_MISSING', '/gone')
})

test('remove takes everything below; what is missing is an error unless that is fine', () => {
  assert.equal(paths(base.apply(delta().remove('/usr').build(), beta)), ['/bin', '/lib'])
  assert.equal(paths(base.apply(delta().remove('/bin').build(), beta)), [
    '/lib',
    '/usr',
    '/usr/bin',
    '/usr/bin/tool',
    '/usr/lib',
  ])
  assert.equal(base.apply(delta().remove('/bin/tool').build(), beta).list('/bin'), [])
  throwsWith(() => base.apply(delta().remove('/gone/x').build(), beta), 'TREE_MISSING', '/gone/x')
  assert.is(base.apply(delta().remove('/gone/x', { missing: 'ok' }).build(), beta).digest, base.digest)
  throwsWith(() => base.apply(delta().remove('/').build(), beta), 'TREE_PATH')
  throwsWith(() => base.apply(delta().remove('/usr').file('/bin/x', '').build(), beta), 'TREE_PARENT', '/bin')
})

test('changes see what the changes before them did', () => {
  const moved = delta()
    .file('/d/x', '')
    .symlink('/l', 'd')
    .file('/l/y', '')
    .remove('/d')
    .file('/d/z', '')
    .file('/l/w', '')
  assert.equal(paths(FileTree.empty.apply(moved.build(), beta)), ['/d', '/d/w', '/d/z', '/l'])
  const turned = delta()
    .directory('/e')
    .symlink('/l', 'd')
    .file('/d/x', '')
    .file('/l/y', '')
    .symlink('/l', 'e')
    .file('/l/z', '')
  assert.equal(paths(FileTree.empty.apply(turned.build(), beta)), ['/d', '/d/x', '/d/y', '/e', '/e/z', '/l'])
})

test('set changes attributes alone', () => {
  const tree = base.apply(delta().set('/', { mode: 0o700 }).set('/bin', { uid: 3 }).build(), beta)
  assert.is(tree.get('/')?.mode, 0o700)
  assert.equal([tree.get('/bin')?.uid, tree.get('/usr/bin')?.uid], [3, 0])
  const xattrs = { 'security.capability': 'AQ==' }
  const capable = base.apply(delta().set('/bin/tool', { xattrs }).build(), beta)
  assert.equal(capable.get('/bin/tool')?.xattrs, xattrs)
  assert.equal(capable.get('/bin/tool')?.origin, alpha)
  assert.is(capable.apply(delta().set('/bin/tool', { xattrs: {} }).build(), beta).digest, base.digest)
  throwsWith(() => base.apply(delta().set('/gone', {}).build(), beta), 'TREE_MISSING', '/gone')
})

test('hard links change together, a put of one name leaves the others', () => {
  const group = { link: '/a' }
  const linked = FileTree.from([file('/a', 'x', group), file('/b', 'x', group), file('/d/c', 'x', group)])
  const links = (tree: FileTree) => ['/a', '/b', '/d/c'].map((path) => linkOf(tree.get(path)))
  const replaced = linked.apply(delta().file('/d/new', '').replace('/b', 'y').build(), beta)
  assert.equal([replaced.get('/d/c'), links(replaced)], [{ ...replaced.get('/a') }, ['/a', '/a', '/a']])
  assert.is(linked.apply(delta().set('/d/c', { mode: 0o600 }).build(), beta).get('/a')?.mode, 0o600)
  assert.equal(links(linked.apply(delta('any').file('/a', 'y').build(), beta)), [undefined, '/b', '/b'])
  assert.equal(links(linked.apply(delta().remove('/a').remove('/b').build(), beta)), [undefined, undefined, undefined])
  const twice = FileTree.empty.apply(delta().tree(linked, '/one').tree(linked, '/two').build(), beta)
  assert.is(linkOf(twice.get('/two/d/c')), '/two/a')
  assert.is(twice.digestAt('/one'), twice.digestAt('/two'))
  const alone = FileTree.from([file('/a', 'x')])
  assert.is(alone.apply(delta().tree(linked).build(), beta).digest, linked.digest)
})

test('nothing that exists changes: deltas and trees are values', () => {
  const { digest } = base
  const changes = delta().file('/usr/lib/new', 'x').set('/usr', { mode: 0o700 }).remove('/bin/tool').build()
  const once = base.apply(changes, beta)
  assert.is(base.digest, digest)
  assert.is(FileTree.from(base.records()).digest, digest)
  assert.is(base.apply(changes, beta).digest, once.digest)
  const bulk = FileTree.from([symlink('/l', 'd'), directory('/d')])
  const shared = FileTree.empty.apply(delta().tree(bulk).file('/d/x', '').build(), beta)
  assert.equal([bulk.count, shared.count], [2, 3])
})

test('the builder refuses what no tree can hold', () => {
  throwsWith(() => delta().file('relative', ''), 'TREE_PATH', 'relative')
  throwsWith(() => delta().remove('/a/../b'), 'TREE_PATH', '/a/../b')
  throwsWith(() => delta().file('/x', '', { mode: 0o100644 }), 'TREE_RECORD', '/x')
  throwsWith(() => delta().set('/x', { uid: -1 }), 'TREE_RECORD', '/x')
  throwsWith(() => delta().symlink('/x', ''), 'TREE_RECORD', '/x')
  throwsWith(() => delta().file('/x', { sha256: 'short', size: 1 }), 'TREE_RECORD', '/x')
})

test.run()
