// Archives that mean harm, read and written to a folder beside a canary: each is refused, and the canary lives.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writePieces } from '../dist/format/archive-piece.js'
import { cpioPlan } from '../dist/format/cpio.js'
import { readCpioTree } from '../dist/format/cpio-read.js'
import { decompress } from '../dist/format/decompress.js'
import { readTarTree } from '../dist/format/tar-tree.js'
import { tarHead } from '../dist/format/tar-write.js'
import { writeFolder } from '../dist/io/folder-write.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { FileTree } from '../dist/model/tree.js'
import { chunked, collect, fails, MemoryBlobs, scratch } from './archive-fixtures.js'

const epoch = 1_700_000_000
const owner = { mode: 0o644, uid: 0, gid: 0 }
const blobs = new MemoryBlobs()
const file = (path: string, text = 'evil'): TreeRecord => ({ path, kind: 'file', ...owner, blob: blobs.add(text) })
const directory = (path: string): TreeRecord => ({ path, kind: 'directory', mode: 0o755, uid: 0, gid: 0 })
const link = (path: string, target: string): TreeRecord => ({ path, kind: 'symlink', ...owner, target })
const device = (path: string): TreeRecord => ({ path, kind: 'block', ...owner, major: 8, minor: 0 })

/** The name of a member, changed in place to one that the writer refuses; equal in length, so that nothing else moves. */
const renamed = (archive: Buffer, from: string, to: string): Buffer => {
  assert.is(from.length, to.length)
  const copy = Buffer.from(archive)
  copy.write(to, copy.indexOf(from))
  return copy
}

const checksummed = (head: Buffer): Buffer => {
  head.fill(0x20, 148, 156)
  const sum = head.subarray(0, 512).reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return head
}

const tarOf = (records: readonly TreeRecord[], from = '', to = ''): Buffer =>
  Buffer.concat([
    ...records.flatMap((record) => {
      const text = record.kind === 'file' ? blobs.byDigest.get(record.blob.sha256)! : Buffer.alloc(0)
      const head = Buffer.from(tarHead(record, undefined, epoch))
      return [
        from !== '' && head.includes(from) ? checksummed(renamed(head, from, to)) : head,
        text,
        Buffer.alloc((512 - (text.length % 512)) % 512),
      ]
    }),
    Buffer.alloc(1024),
  ])

const cpioOf = async (records: readonly TreeRecord[], from = '', to = ''): Promise<Buffer> => {
  const archive = await collect(writePieces(cpioPlan(records, { epoch }), blobs))
  return from === '' ? archive : renamed(archive, from, to)
}

/** Unpacks into a folder that lies beside a canary and holds nothing; the canary has to stay alone and unchanged. */
const refused = async (code: string, message: RegExp, read: () => Promise<readonly TreeRecord[]>): Promise<void> => {
  const { path: folder, remove } = scratch()
  try {
    mkdirSync(join(folder, 'target'))
    writeFileSync(join(folder, 'target/canary'), 'alive')
    await fails(code, message, async () =>
      writeFolder(FileTree.from(await read()).records(), blobs, join(folder, 'root/in/it'), { epoch }),
    )
    assert.equal(readdirSync(join(folder, 'target')), ['canary'])
    assert.is(readFileSync(join(folder, 'target/canary'), 'utf8'), 'alive')
    assert.equal(
      readdirSync(folder).filter((name) => name !== 'root' && name !== 'target'),
      [],
    )
  } finally {
    remove()
  }
}

const upwards = '../../../target'
const both = (
  records: readonly TreeRecord[],
  from = '',
  to = '',
): readonly (readonly ['tar' | 'cpio', () => Promise<readonly TreeRecord[]>])[] => [
  ['tar', async () => readTarTree(chunked(tarOf(records, from, to), 700), blobs)],
  ['cpio', async () => readCpioTree(chunked(await cpioOf(records, from, to), 700))],
]

test('names that climb or start at the root', async () => {
  for (const [kind, read] of both(
    [directory('/aa'), directory('/aa/bb'), directory('/aa/bb/cc'), file('/aa/bb/cc/canary')],
    'aa/bb/cc/canary',
    '../../../canary',
  ))
    await refused(`${kind.toUpperCase()}_PATH`, /'\.\.'/, read)
  for (const [kind, read] of both([directory('/aetc'), file('/aetc/canary')], 'aetc/canary', '/etc/canary'))
    await refused(`${kind.toUpperCase()}_PATH`, /absolute/, read)
})

test('a record below a link that leaves the root: as a name of its own, or by way of another link', async () => {
  for (const [, read] of both(
    [link('/out', upwards), directory('/zut'), file('/zut/canary')],
    'zut/canary',
    'out/canary',
  ))
    await refused('TREE_PARENT', /out/, read)
  for (const [, read] of both(
    [link('/a', 'b'), link('/b', upwards), directory('/zz'), file('/zz/canary')],
    'zz/canary',
    'a//canary',
  ))
    await refused('TREE_PARENT', /\/a/, read)
})

test('a hard link through a link to a file outside', async () => {
  const hard = Buffer.from(tarHead(file('/x'), '/out/canary', epoch))
  const archive = Buffer.concat([tarOf([link('/out', upwards)]).subarray(0, 512), hard, Buffer.alloc(1024)])
  await refused('TAR_LINK', /no earlier entry/, () => readTarTree(chunked(archive), blobs))
})

test('a device', async () => {
  for (const [, read] of both([device('/sda')])) await refused('FOLDER_DEVICE', /sda/, read)
  await refused('TAR_DEVICE', /block device/, () =>
    readTarTree(chunked(tarOf([device('/sda')])), blobs, { devices: 'refuse' }),
  )
})

test('a file of 4 GiB is refused at its header, before a byte of it is read', async () => {
  const huge: TreeRecord = { path: '/huge', kind: 'file', ...owner, blob: { sha256: '', size: 2 ** 32 } }
  const head = Buffer.from(tarHead(huge, undefined, epoch))
  let asked = 0
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield head
    for (; ; asked++) yield Buffer.alloc(1 << 20)
  }
  await refused('TAR_LIMIT', /4294967296 bytes/, () => readTarTree(endless(), blobs))
  assert.ok(asked < 3, `${asked} MiB were read`)
})

test('a bomb is stopped by its size, whatever its headers say', async () => {
  const zeros = gzipSync(Buffer.concat([tarOf([file('/zeros', '\0'.repeat(64 << 20))])]), { level: 9 })
  await refused('DECOMPRESS_LIMIT', /bomb/, () =>
    readTarTree(decompress(chunked(zeros), 'gz', { name: 'bomb', outputBytes: 8 << 20 }), blobs),
  )
})

test.run()
