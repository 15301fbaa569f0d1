import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError, ZosError } from '../dist/error.js'
import { readFolder } from '../dist/io/folder-read.js'
import { writeFolder } from '../dist/io/folder-write.js'
import type { Blob, TreeRecord } from '../dist/model/entry.js'
import { FileTree } from '../dist/model/tree.js'
import { at, fails, MemoryBlobs, run, sampleRecords, scratch } from './archive-fixtures.js'

process.umask(0o022)
const epoch = 1_700_000_000
const isRoot = process.getuid?.() === 0

/** A test with a folder of its own, removed afterwards even where its directories are read-only. */
const inFolder = (name: string, task: (path: string, blobs: MemoryBlobs) => Promise<unknown>) =>
  test(name, async () => {
    const { path, remove } = scratch()
    try {
      await task(path, new MemoryBlobs())
    } finally {
      run('chmod', ['-R', 'u+rwX', path])
      remove()
    }
  })

const ordinary = (blobs: MemoryBlobs): TreeRecord[] =>
  sampleRecords(blobs).filter((one) => one.kind === 'file' || one.kind === 'directory' || one.kind === 'symlink')

inFolder('what is written is what is read: modes, links, hard links, times', async (path, blobs) => {
  const records = ordinary(blobs)
  const root = join(path, 'new/tree')
  for (const umask of [0o000, 0o077]) {
    const before = process.umask(umask)
    assert.equal(await writeFolder(records, blobs, `${root}${umask}`, { epoch }), [])
    process.umask(before)
    const back = await readFolder(`${root}${umask}`, blobs, { hardLinks: true })
    assert.equal(back, [...FileTree.from(records.map((one) => ({ ...one, uid: 0, gid: 0 }))).records()])
    assert.is(statSync(`${root}${umask}`).mode & 0o7777, 0o755)
    for (const one of ['', ...records.map((record) => record.path)]) {
      assert.is(lstatSync(`${root}${umask}${one}`).mtimeMs, epoch * 1000, one)
    }
  }
})

inFolder('a tree with read-only directories and files', async (path, blobs) => {
  const attributes = { uid: 0, gid: 0 }
  const records: TreeRecord[] = [
    { path: '/a/b/c', kind: 'file', mode: 0o000, ...attributes, blob: blobs.add('x') },
    { path: '/a/b', kind: 'directory', mode: 0o555, ...attributes },
    { path: '/a', kind: 'directory', mode: 0o000, ...attributes },
    { path: '/implied/too/f', kind: 'file', mode: 0o2755, ...attributes, blob: blobs.add('y') },
  ]
  const root = join(path, 't')
  await writeFolder(records, blobs, root, { epoch })
  assert.is(statSync(join(root, 'a')).mode & 0o7777, 0)
  assert.is(statSync(join(root, 'a')).mtimeMs, epoch * 1000)
  chmodSync(join(root, 'a'), 0o755)
  assert.is(statSync(join(root, 'a/b')).mode & 0o7777, 0o555)
  assert.is(statSync(join(root, 'a/b/c')).mode & 0o7777, 0)
  assert.is(statSync(join(root, 'implied/too')).mode & 0o7777, 0o755)
})

inFolder('a record for / sets the mode of the folder itself', async (path, blobs) => {
  const root: TreeRecord = { path: '/', kind: 'directory', mode: 0o1750, uid: 0, gid: 0 }
  const file: TreeRecord = { path: '/f', kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: blobs.add('x') }
  await writeFolder([file, root], blobs, join(path, 't'), { epoch })
  const stats = statSync(join(path, 't'))
  assert.equal([stats.mode & 0o7777, stats.mtimeMs], [0o1750, epoch * 1000])
  await fails('FOLDER_CONFLICT', /\/ is a file/, () =>
    writeFolder([{ ...file, path: '/' }], blobs, join(path, 'u'), { epoch }),
  )
})

inFolder('content is copied from the store, never linked', async (path, blobs) => {
  const store = join(path, 'store')
  mkdirSync(store)
  const records = ordinary(blobs)
  for (const [digest, bytes] of blobs.byDigest) writeFileSync(join(store, digest), bytes, { mode: 0o444 })
  const refuse = (blob: Blob, digest: string) => {
    if (digest !== blob.sha256) throw new ZosError('BLOB_MISSING', `${blob.sha256} has ${digest}`)
  }
  const from = { path: (blob: Blob) => join(store, blob.sha256), check: refuse }
  const empty = new MemoryBlobs()
  await writeFolder(records, empty, join(path, 't'), { epoch, from })
  assert.equal(await readFolder(join(path, 't'), blobs, { hardLinks: true }), await written(records, path, blobs))
  const [digest] = blobs.byDigest.keys()
  assert.is(statSync(join(store, digest ?? '')).nlink, 1)
  const gone: TreeRecord = {
    path: '/g',
    kind: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    blob: { sha256: 'a'.repeat(64), size: 3 },
  }
  await fails('BLOB_MISSING', /content of \/g, a{64} \(3 bytes\), is not at/, () =>
    writeFolder([gone], empty, join(path, 'u'), { epoch, from }),
  )
  writeFileSync(join(store, 'a'.repeat(64)), 'longer')
  await fails('BLOB_MISSING', /has 6 bytes/, () => writeFolder([gone], empty, join(path, 'v'), { epoch, from }))
  writeFileSync(join(store, 'a'.repeat(64)), 'bit')
  await fails('BLOB_MISSING', /a{64} has [0-9a-f]{64}/, () =>
    writeFolder([gone], empty, join(path, 'w'), { epoch, from }),
  )
  const large = { ...gone, blob: { sha256: 'b'.repeat(64), size: 300_000 } }
  writeFileSync(join(store, 'b'.repeat(64)), Buffer.alloc(300_000))
  await fails('BLOB_MISSING', /b{64} has [0-9a-f]{64}/, () =>
    writeFolder([large], empty, join(path, 'x'), { epoch, from }),
  )
})

const written = async (records: TreeRecord[], path: string, blobs: MemoryBlobs) => {
  await writeFolder(records, blobs, join(path, 'expected'), { epoch })
  return readFolder(join(path, 'expected'), blobs, { hardLinks: true })
}

inFolder('devices and FIFOs are refused, or skipped and named', async (path, blobs) => {
  const records = sampleRecords(blobs)
  await fails('FOLDER_DEVICE', /\/dev\/console is a character/, () =>
    writeFolder(records, blobs, join(path, 'a'), { epoch }),
  )
  assert.not.ok(existsSync(join(path, 'a')))
  const skipped = await writeFolder(records, blobs, join(path, 'b'), { epoch, special: 'skip' })
  assert.equal(skipped, ['/dev/console', '/dev/pipe', '/dev/vda300'])
  assert.equal(readdirSync(join(path, 'b/dev')), [])
})

inFolder('nothing is written outside: the canary stays', async (path, blobs) => {
  const outside = join(path, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'canary'), 'alive')
  const attributes = { uid: 0, gid: 0 }
  const link = (from: string): TreeRecord => ({
    path: from,
    kind: 'symlink',
    mode: 0o777,
    ...attributes,
    target: outside,
  })
  const file = (to: string): TreeRecord => ({
    path: to,
    kind: 'file',
    mode: 0o644,
    ...attributes,
    blob: blobs.add('evil'),
  })
  const root = join(path, 't')
  const write = (records: TreeRecord[]) => () => writeFolder(records, blobs, root, { epoch })
  await fails(
    'FOLDER_CONFLICT',
    /\/l\/canary lies below \/l, which is a symlink/,
    write([link('/l'), file('/l/canary')]),
  )
  await fails('FOLDER_CONFLICT', /\/l\/a\/b lies below \/l/, write([file('/l/a/b'), link('/l')]))
  await fails('FOLDER_CONFLICT', /\/l comes twice/, write([link('/l'), file('/l')]))
  await fails('FOLDER_CONFLICT', /lies below \/f, which is a file/, write([file('/f'), file('/f/g')]))
  for (const bad of [
    '/../outside/canary',
    '../outside/canary',
    '/a/../../outside/canary',
    '/a//b',
    '/a/./b',
    '/a/',
    '/a\0b',
    '',
  ]) {
    await fails('TREE_PATH', /./, write([file(bad)]))
  }
  // A link that was there before: the folder is not empty.
  mkdirSync(root)
  symlinkSync(outside, join(root, 'l'))
  await fails('FOLDER_NOT_EMPTY', /has "l" in it/, write([file('/l/canary')]))
  await fails('FOLDER_NOT_EMPTY', /has "l" in it/, write([file('/l')]))
  assert.equal(readdirSync(outside), ['canary'])
  assert.is(readFileSync(join(outside, 'canary'), 'utf8'), 'alive')
  // A link as a record is made as it is, and neither its target's mode nor its times change.
  const mtime = statSync(outside).mtimeMs
  await writeFolder([link('/l'), file('/m')], blobs, join(path, 'u'), { epoch })
  assert.is(readlinkSync(join(path, 'u/l')), outside)
  assert.is(statSync(outside).mtimeMs, mtime)
})

test('any records give a tree or a ZosError, and leave the canary alone', async () => {
  const { path, remove } = scratch()
  try {
    writeFileSync(join(path, 'canary'), 'alive')
    const blobs = new MemoryBlobs()
    const blob = blobs.add('evil')
    const odd = fc.constantFrom('..', '.', '')
    const name = fc.oneof({ weight: 20, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'canary', 'l') }, odd)
    const paths = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`)
    const attributes = { mode: 0o755, uid: 0, gid: 0 }
    const record = fc.oneof(
      paths.map((to): TreeRecord => ({ path: to, kind: 'file', ...attributes, blob })),
      paths.map((to): TreeRecord => ({ path: to, kind: 'file', ...attributes, blob, link: '/a' })),
      paths.map((to): TreeRecord => ({ path: to, kind: 'directory', ...attributes })),
      fc
        .tuple(paths, fc.constantFrom('..', '../..', '../canary', '.', path))
        .map(([to, target]): TreeRecord => ({ path: to, kind: 'symlink', ...attributes, target })),
    )
    let runs = 0
    let good = 0
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 6 }), async (records) => {
        const root = join(path, `r${runs++}`)
        try {
          await writeFolder(records, blobs, root, { epoch })
          good += 1
        } catch (error) {
          if (!isZosError(error)) throw error
        }
        assert.equal(
          readdirSync(path).filter((one) => !/^r\d+$/.test(one)),
          ['canary'],
        )
        assert.is(readFileSync(join(path, 'canary'), 'utf8'), 'alive')
      }),
      { numRuns: 300 },
    )
    assert.ok(good > 20, `only ${good} trees were written`)
  } finally {
    remove()
  }
})

inFolder('reading: owners, modes, what to ignore, origin, order', async (path, blobs) => {
  mkdirSync(join(path, 'a-b'))
  mkdirSync(join(path, 'a/target/deep'), { recursive: true })
  writeFileSync(join(path, 'a/z'), 'z', { mode: 0o600 })
  writeFileSync(join(path, 'a/target/deep/f'), 'f')
  writeFileSync(join(path, 'a-b/run'), 'r')
  chmodSync(join(path, 'a-b/run'), 0o764)
  symlinkSync('nowhere/../x', join(path, 'a/link'))
  const asked: string[] = []
  const records = await readFolder(path, blobs, {
    modes: 'git',
    origin: { plugin: 'test' },
    ignore: (one, isDirectory) => {
      asked.push(`${one}${isDirectory ? '/' : ''}`)
      return one === 'a/target'
    },
  })
  const attributes = { uid: 0, gid: 0, origin: { plugin: 'test' } }
  assert.equal(records, [
    { path: '/a', kind: 'directory', mode: 0o755, ...attributes },
    { path: '/a/link', kind: 'symlink', mode: 0o777, ...attributes, target: 'nowhere/../x' },
    { path: '/a/z', kind: 'file', mode: 0o644, ...attributes, blob: blobs.add('z') },
    { path: '/a-b', kind: 'directory', mode: 0o755, ...attributes },
    { path: '/a-b/run', kind: 'file', mode: 0o755, ...attributes, blob: blobs.add('r') },
  ])
  assert.equal(asked.sort(), ['a-b/', 'a-b/run', 'a/', 'a/link', 'a/target/', 'a/z'])
  const kept = await readFolder(path, blobs, { owner: 'keep' })
  assert.equal([at(kept, '/a/z', 'file').mode, at(kept, '/a-b/run', 'file').mode], [0o600, 0o764])
  assert.is(at(kept, '/a/z', 'file').uid, process.getuid?.())
  assert.is(at(await readFolder(path, blobs, { owner: { uid: 7, gid: 8 } }), '/a', 'directory').gid, 8)
})

inFolder('reading: hard links are files of their own unless asked for', async (path, blobs) => {
  writeFileSync(join(path, 'b'), 'same')
  linkSync(join(path, 'b'), join(path, 'a'))
  writeFileSync(join(path, 'c'), 'same')
  const links = async (hardLinks: boolean) =>
    (await readFolder(path, blobs, { hardLinks })).map((one) => (one.kind === 'file' ? one.link : one.kind))
  assert.equal(await links(false), [undefined, undefined, undefined])
  assert.equal(await links(true), ['/a', '/a', undefined])
})

inFolder('reading: large files are streamed', async (path, blobs) => {
  const large = Buffer.alloc(3_000_001, 'large')
  writeFileSync(join(path, 'large'), large)
  const [record] = await readFolder(path, blobs)
  assert.equal(record?.kind === 'file' && record.blob, blobs.add(large))
})

inFolder('reading: FIFOs and devices are records; nothing is opened', async (path, blobs) => {
  run('mkfifo', ['-m', '640', join(path, 'pipe')])
  if (isRoot) run('mknod', [join(path, 'disk'), 'b', '259', '70000'])
  else console.log('skip folder devices: not root')
  const records = await readFolder(path, blobs)
  assert.is(at(records, '/pipe', 'fifo').mode, 0o640)
  if (isRoot) {
    const { major, minor } = at(records, '/disk', 'block')
    assert.equal([major, minor], [259, 70000])
  }
})

inFolder('reading: sockets, bad names, unreadable and missing folders are errors', async (path, blobs) => {
  const bad = Buffer.concat([Buffer.from(`${path}/x`), Buffer.from([0xff])])
  writeFileSync(bad, '')
  await fails('FOLDER_NAME', /the name "xÿ" \(shown as Latin-1\) is not UTF-8/, () => readFolder(path, blobs))
  unlinkSync(bad)
  const server = createServer().listen(join(path, 'sock'))
  await new Promise((resolve) => server.once('listening', resolve))
  await fails('FOLDER_SOCKET', /sock is a socket/, () => readFolder(path, blobs))
  assert.equal(await readFolder(path, blobs, { ignore: (one) => one === 'sock' }), [])
  await new Promise((resolve) => server.close(resolve))
  await fails('FOLDER_READ', /absent cannot be read: ENOENT/, () => readFolder(join(path, 'absent'), blobs))
  writeFileSync(join(path, 'secret'), 'x', { mode: 0 })
  if (isRoot) console.log('skip folder unreadable: root reads everything')
  else await fails('FOLDER_READ', /secret cannot be read: EACCES/, () => readFolder(path, blobs))
})

inFolder('reading: a file that grows meanwhile is an error', async (path) => {
  const file = join(path, 'log')
  writeFileSync(file, 'x')
  utimesSync(file, epoch, epoch)
  const growing = new MemoryBlobs()
  const put = growing.put.bind(growing)
  growing.put = async (content) =>
    put(content instanceof Uint8Array ? Buffer.concat([content, Buffer.from('y')]) : content)
  await fails('FOLDER_CHANGED', /log changed while it was read/, () => readFolder(path, growing))
})

inFolder('writing: what the system refuses names the path', async (path, blobs) => {
  writeFileSync(join(path, 'file'), '')
  const write = () => writeFolder([], blobs, join(path, 'file/below'), { epoch })
  await fails('FOLDER_WRITE', /file\/below cannot be written: ENOTDIR/, write)
})

test.run()
