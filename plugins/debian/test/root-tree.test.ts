import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Artifact, FileTree, type Json, type TreeRecord } from '@zos/core'
import { errorOf, MemoryBlobs } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { layPackages, type UnpackedPackage, unpackedPackage } from '../dist/package/layers.js'
import { mergeUsr } from '../dist/package/merge-usr.js'
import { packagesTree, type RootFacts, rootTree } from '../dist/package/root-tree.js'
import { hasTool, inFolder, skip } from './host.js'

const blobs = new MemoryBlobs()

/** A package by its files: text, or `-> target` for a link. */
const packageOf = async (
  name: string,
  files: Readonly<Record<string, string>>,
  more: { control?: readonly [string, string][]; scripts?: string[]; alternatives?: Json[] } = {},
): Promise<UnpackedPackage> => {
  const origin = { plugin: 'debian', package: name }
  const records: TreeRecord[] = []
  for (const [path, text] of Object.entries(files)) {
    const common = { path, mode: 0o755, uid: 0, gid: 0, origin }
    if (text === '/') records.push({ kind: 'directory', ...common })
    else if (text.startsWith('-> ')) records.push({ kind: 'symlink', target: text.slice(3), ...common })
    else records.push({ kind: 'file', blob: await blobs.put(text), ...common })
  }
  const control = [
    ['Package', name],
    ['Version', '1'],
    ['Architecture', 'all'],
    ['Maintainer', 'x <x@example.org>'],
    ['Description', 'x'],
    ...(more.control ?? []),
  ]
  const facts = {
    control,
    paths: Object.keys(files),
    conffiles: [],
    md5: {},
    scripts: more.scripts ?? [],
    alternatives: more.alternatives ?? [],
  }
  const artifact: Artifact = { trees: { tree: FileTree.from(mergeUsr(records, name)) }, facts }
  return unpackedPackage(name, artifact)
}

const ownerAt = (tree: FileTree, path: string) => tree.get(path)?.origin?.package

test('a second owner of a file is an error, unless one package replaces the other', async () => {
  const a = await packageOf('a', { '/usr/bin/x': 'a' })
  const b = await packageOf('b', { '/bin/x': 'b' })
  const error = errorOf(() => layPackages(FileTree.empty, [a, b], 'debian'))
  assert.is(error.code, 'TREE_CONFLICT')
  assert.match(error.message, /debian\/a[\s\S]*debian\/b/)
  const taking = await packageOf('b', { '/bin/x': 'b' }, { control: [['Replaces', 'a (<< 2), gone']] })
  for (const order of [
    [a, taking],
    [taking, a],
  ])
    assert.is(ownerAt(layPackages(FileTree.empty, order, 'debian'), '/usr/bin/x'), 'b')
  // The one that gives way may be later in the alphabet.
  const z = await packageOf('z', { '/usr/bin/x': 'z' })
  const early = await packageOf('b', { '/bin/x': 'b' }, { control: [['Replaces', 'z']] })
  assert.is(ownerAt(layPackages(FileTree.empty, [early, z], 'debian'), '/usr/bin/x'), 'b')
  const newer = await packageOf('b', { '/bin/x': 'b' }, { control: [['Replaces', 'a (<< 1)']] })
  assert.is(errorOf(() => layPackages(FileTree.empty, [a, newer], 'debian')).code, 'TREE_CONFLICT')
})

test('what is diverted is left out', async () => {
  const tiny = await packageOf('vim-tiny', { '/usr/share/vim/vim90/doc/help.txt': 'tiny' })
  const runtime = await packageOf('vim-runtime', { '/usr/share/vim/vim90/doc/help.txt': 'runtime' })
  assert.is(
    ownerAt(layPackages(FileTree.empty, [runtime, tiny], 'debian'), '/usr/share/vim/vim90/doc/help.txt'),
    'vim-runtime',
  )
})

test('a tree of packages has the links of the merged /usr, and nothing else of ours', async () => {
  const tree = packagesTree([await packageOf('k', { '/lib/modules/6/a.ko': 'ko', '/lib64/ld.so': 'ld' })], 'debian')
  assert.equal(
    [...tree.records()].map(({ path, kind }) => `${path} ${kind}`),
    [
      '/bin symlink',
      '/lib symlink',
      '/lib64 symlink',
      '/sbin symlink',
      '/usr directory',
      '/usr/bin directory',
      '/usr/lib directory',
      '/usr/lib/modules directory',
      '/usr/lib/modules/6 directory',
      '/usr/lib/modules/6/a.ko file',
      '/usr/lib64 directory',
      '/usr/lib64/ld.so file',
      '/usr/sbin directory',
    ],
  )
  assert.is(tree.resolve('/lib/modules/6/a.ko'), '/usr/lib/modules/6/a.ko')
})

const rooted = async (...packages: UnpackedPackage[]) => {
  const { trees, facts } = await rootTree(packages, { plugin: 'debian', release: 'bookworm' }, blobs)
  const tree = trees!.tree!
  const text = async (path: string) => {
    const entry = tree.get(tree.resolve(path) ?? path)
    return entry?.kind === 'file' ? blobs.text(entry.blob) : entry?.kind
  }
  return { tree, text, facts: facts as unknown as RootFacts }
}

test('an image of nothing but a busybox has accounts, folders and names', async () => {
  const { tree, text, facts } = await rooted(
    await packageOf('busybox-static', { '/bin/busybox': 'ELF\0[\0[[\0ls\0sh\0\0' }),
  )
  assert.match((await text('/etc/passwd'))!, /^root:x:0:0:root:\/root:\/bin\/sh\n/)
  assert.is(await text('/etc/shells'), '/bin/sh\n')
  assert.match((await text('/etc/hosts'))!, /^127\.0\.0\.1 localhost\n/)
  assert.match((await text('/etc/os-release'))!, /^VERSION_CODENAME=bookworm$/m)
  const shadow = tree.get('/etc/shadow')
  assert.equal([shadow?.mode, shadow?.gid], [0o640, 42])
  assert.equal([tree.get('/tmp')?.mode, tree.get('/root')?.mode], [0o1777, 0o700])
  assert.equal(facts, {
    packages: { 'busybox-static': '1' },
    unruled: [],
    applets: { busybox: '/usr/bin/busybox', names: ['[', '[[', 'ls', 'sh'] },
  })
})

test('rules: accounts, copies, links in the place of empty folders, certificates', async () => {
  const { tree, text } = await rooted(
    await packageOf('base-passwd', {
      '/usr/share/base-passwd/passwd.master': 'root:*:0:0:root:/root:/bin/bash\n',
      '/usr/share/base-passwd/group.master': 'root:*:0:\nnogroup:*:65534:\n',
    }),
    await packageOf('base-files', {
      '/var/run': '/',
      '/var/lock': '/',
      '/var/lock/kept': '/',
      '/usr/share/base-files/profile': 'profile\n',
      '/usr/lib/os-release': 'ID=debian\n',
    }),
    await packageOf('openssh-server', { '/usr/share/openssh/sshd_config': 'config\n' }, { scripts: ['postinst'] }),
    await packageOf('ca-certificates', {
      '/usr/share/ca-certificates/mozilla/b.crt': 'B',
      '/usr/share/ca-certificates/mozilla/a.crt': 'A\n',
    }),
    await packageOf('bash', { '/bin/bash': 'bash' }),
  )
  assert.match(
    (await text('/etc/passwd'))!,
    /^root:x:0:0:root:\/root:\/bin\/bash\nsshd:x:101:65534::\/run\/sshd:\/usr\/sbin\/nologin\n$/,
  )
  assert.is(await text('/etc/ssh/sshd_config'), 'config\n')
  assert.is(await text('/etc/profile'), 'profile\n')
  assert.is(await text('/etc/os-release'), 'ID=debian\n')
  assert.is(await text('/etc/ssl/certs/ca-certificates.crt'), 'A\nB\n')
  assert.is(await text('/etc/shells'), '/bin/sh\n/bin/bash\n')
  assert.is(tree.get('/var/run')?.kind, 'symlink')
  assert.is(tree.get('/var/lock')?.kind, 'directory', 'a folder with something in it stays')
  assert.is(ownerAt(tree, '/etc/ssh/sshd_config'), 'openssh-server')
})

test('alternatives: the highest priority wins, a file that is there stays, a target that is missing does not count', async () => {
  const to = (link: string, target: string, priority: number) => ({ link, target, priority })
  const { tree } = await rooted(
    await packageOf(
      'low',
      { '/bin/low': 'low' },
      { alternatives: [to('/usr/bin/x', '/bin/low', 5), to('/usr/bin/y', '/bin/low', 1)] },
    ),
    await packageOf(
      'high',
      { '/bin/high': 'high' },
      { alternatives: [to('/usr/bin/x', '/bin/high', 10), to('/usr/bin/x', '/bin/gone', 99)] },
    ),
    await packageOf('real', { '/bin/y': 'y' }),
  )
  const target = (path: string) => {
    const entry = tree.get(path)
    return entry?.kind === 'symlink' ? entry.target : entry?.kind
  }
  assert.equal([target('/usr/bin/x'), target('/usr/bin/y')], ['/bin/high', 'file'])
})

test('packages with scripts and no rule are named', async () => {
  const { facts } = await rooted(
    await packageOf('unheard-of', {}, { scripts: ['postinst'] }),
    await packageOf('libc6', {}, { scripts: ['postinst'] }),
  )
  assert.equal(facts.unruled, ['unheard-of'])
})

/** Writes a tree to a folder, without owners and modes. */
const writeTree = async (tree: FileTree, folder: string) => {
  for (const record of tree.records()) {
    const place = join(folder, record.path)
    mkdirSync(dirname(place), { recursive: true })
    if (record.kind === 'directory') mkdirSync(place, { recursive: true })
    else if (record.kind === 'symlink') symlinkSync(record.target, place)
    else if (record.kind === 'file') writeFileSync(place, await blobs.read(record.blob))
  }
}

if (!hasTool('dpkg')) skip('dpkg on a root file system', 'there is no dpkg')
else
  test('dpkg finds its database in order, without files that another package took over', async () => {
    const { tree } = await rooted(
      await packageOf('a', { '/usr/bin': '/', '/usr/bin/x': 'a', '/usr/bin/only-a': 'a' }),
      await packageOf('b', { '/bin': '/', '/bin/x': 'b' }, { control: [['Replaces', 'a']] }),
    )
    await inFolder(async (root) => {
      await writeTree(tree, root)
      const dpkg = (...args: string[]) =>
        spawnSync(args[0]!, [`--root=${root}`, ...args.slice(1)], {
          encoding: 'utf8',
          env: { ...process.env, LC_ALL: 'C' },
        })
      const list = dpkg('dpkg', '-l')
      assert.equal(
        [...list.stdout.matchAll(/^ii +(\S+) +(\S+)/gm)].map((match) => match.slice(1, 3).join(' ')),
        ['a 1', 'b 1'],
      )
      assert.is(list.stderr, '')
      assert.is(dpkg('dpkg', '--audit').stdout, '')
      assert.is(dpkg('dpkg-query', '-L', 'a').stdout, '/.\n/usr/bin\n/usr/bin/only-a\n')
      assert.is(dpkg('dpkg-query', '-S', '/bin/x').stdout, 'b: /bin/x\n')
    })
  })

test.run()
