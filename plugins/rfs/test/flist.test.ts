import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isZosError } from '@zos/core'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type FlistEntry, makeRdev, splitRdev } from '../dist/flist.js'
import { readFlist } from '../dist/flist-read.js'
import { sqliteVersion, writeFlist } from '../dist/flist-write.js'
import { type HandMade, handMade } from './hand-made.js'

const bytes32 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const hex32 = (byte: number): string => byte.toString(16).padStart(2, '0').repeat(32)

const root = [0, '/', 4096, 0, 0, 0o40755, 0, 5, 6] as const
/** As the program packs: what is in a directory before the directories below it, the last of them first. */
const sample: HandMade = {
  inode: [
    root,
    [1, 'notes.txt', 600_000, 1000, 1000, 0o100640, 0, 7, 8],
    [1, 'link', 9, 0, 0, 0o120777, 0, 7, 8],
    [1, 'tty', 0, 0, 5, 0o20620, makeRdev(4, 64), 7, 8],
    [1, 'empty', 0, 0, 0, 0o100644, 0, 7, 8],
    [1, 'sub', 4096, 0, 0, 0o41777, 0, 7, 8],
    [6, 'pipe', 0, 0, 0, 0o10600, 0, 7, -8],
  ],
  extra: [[3, Buffer.from('notes.txt')]],
  block: [
    [2, bytes32(9), bytes32(1)],
    [2, bytes32(3), bytes32(2)],
  ],
  tag: [['version', '0.1']],
  route: [
    [0, 127, 'dir:///a'],
    [128, 255, 's3://host:9000/bucket?region=garage'],
  ],
}

test('reads what the schema says, in whatever order it was inserted', () => {
  const { entries, tags, routes } = readFlist(handMade(sample), 'made.fl')
  assert.equal(
    entries.map(({ path }) => path),
    ['/', '/empty', '/link', '/notes.txt', '/sub', '/sub/pipe', '/tty'],
  )
  const at = (path: string): FlistEntry => entries.find((entry) => entry.path === path)!
  assert.equal(at('/notes.txt'), {
    ...{ path: '/notes.txt', mode: 0o100640, uid: 1000, gid: 1000, size: 600_000, rdev: 0, ctime: 7, mtime: 8 },
    blocks: [
      { id: hex32(9), key: hex32(1) },
      { id: hex32(3), key: hex32(2) },
    ],
  })
  assert.is(at('/link').target, 'notes.txt')
  assert.equal(splitRdev(at('/tty').rdev), { major: 4, minor: 64 })
  assert.is(at('/sub/pipe').mtime, -8)
  assert.equal([...tags], [['version', '0.1']])
  assert.equal(routes, [
    { start: 0, end: 127, url: 'dir:///a' },
    { start: 128, end: 255, url: 's3://host:9000/bucket?region=garage' },
  ])
})

const spoilt: Readonly<Record<string, Partial<HandMade>>> = {
  'no root': { inode: [[7, 'a', 0, 0, 0, 0o100644, 0, 0, 0]] },
  'two roots': { inode: [root, root] },
  'a root that is a file': { inode: [[0, '/', 0, 0, 0, 0o100644, 0, 0, 0]] },
  'an orphan': { inode: [root, [5, 'a', 0, 0, 0, 0o100644, 0, 0, 0]] },
  'a circle': { inode: [root, [3, 'a', 0, 0, 0, 0o40755, 0, 0, 0], [2, 'b', 0, 0, 0, 0o40755, 0, 0, 0]] },
  'a child of a file': { inode: [root, [1, 'a', 0, 0, 0, 0o100644, 0, 0, 0], [2, 'b', 0, 0, 0, 0o100644, 0, 0, 0]] },
  'one name twice': { inode: [root, [1, 'a', 0, 0, 0, 0o100644, 0, 0, 0], [1, 'a', 0, 0, 0, 0o40755, 0, 0, 0]] },
  'a name with a slash': { inode: [root, [1, '../a', 0, 0, 0, 0o100644, 0, 0, 0]] },
  'a name of dots': { inode: [root, [1, '..', 0, 0, 0, 0o100644, 0, 0, 0]] },
  'a name of bytes': { inode: [root, [1, Buffer.from('a'), 0, 0, 0, 0o100644, 0, 0, 0]] },
  'no name': { inode: [root, [1, null, 0, 0, 0, 0o100644, 0, 0, 0]] },
  'a long name': { inode: [root, [1, 'n'.repeat(256), 0, 0, 0, 0o100644, 0, 0, 0]] },
  'an unknown type': { inode: [root, [1, 'a', 0, 0, 0, 0o644, 0, 0, 0]] },
  'a negative size': { inode: [root, [1, 'a', -1, 0, 0, 0o100644, 0, 0, 0]] },
  'a size as text': { inode: [root, [1, 'a', 'x', 0, 0, 0o100644, 0, 0, 0]] },
  'a link to nowhere': { extra: [] },
  'a link to nothing': { extra: [[3, Buffer.of()]] },
  'a block too few': { block: [[2, bytes32(9), bytes32(1)]] },
  'a block too many': { block: [...sample.block!, [5, bytes32(9), bytes32(1)]] },
  'a short id': { block: [sample.block![0]!, [2, new Uint8Array(31), bytes32(1)]] },
  'an id as text': { block: [sample.block![0]!, [2, hex32(3), bytes32(1)]] },
  'a range of text': { route: [['a', 'b', 'dir:///a']] },
  'a range that ends first': { route: [[9, 8, 'dir:///a']] },
  'a range too far': { route: [[0, 256, 'dir:///a']] },
  'a missing table': { sql: 'DROP TABLE tag' },
  'a view for a table': { sql: 'DROP TABLE tag; CREATE VIEW tag AS SELECT 1 AS key, 2 AS value' },
  'a trigger': { sql: 'CREATE TRIGGER t AFTER INSERT ON tag BEGIN SELECT 1; END' },
}

const refused = (bytes: Uint8Array, what: string): void => {
  let error: unknown
  try {
    readFlist(bytes, 'made.fl')
  } catch (caught) {
    error = caught
  }
  assert.ok(isZosError(error) && error.code === 'FLIST_FORMAT', `${what}: ${error}`)
  assert.match(error.message, /^made\.fl: /)
}

for (const [what, rows] of Object.entries(spoilt))
  test(`refuses ${what}`, () => refused(handMade({ ...sample, ...rows }), what))

test('whatever bytes come, a value or FLIST_FORMAT comes out', () => {
  refused(Buffer.of(), 'nothing')
  refused(Buffer.from('SQLite format 3'), 'a start')
  const good = Buffer.from(handMade(sample))
  refused(good.subarray(0, 5000), 'half of it')
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }), (edits) => {
      const other = Buffer.from(good)
      for (const [at, byte] of edits) other[at] = byte
      try {
        readFlist(other, 'made.fl')
      } catch (error) {
        assert.ok(isZosError(error) && error.code === 'FLIST_FORMAT', String(error))
      }
    }),
    { numRuns: 60 },
  )
})

const entry = (path: string, more: Partial<FlistEntry> = {}): FlistEntry => ({
  ...{ path, mode: 0o100644, uid: 0, gid: 0, size: 0, rdev: 0, ctime: 1, mtime: 2, blocks: [] },
  ...more,
})
const top = entry('/', { mode: 0o40755 })
const written = (entries: readonly FlistEntry[]): Uint8Array =>
  writeFlist({
    entries,
    tags: new Map([
      ['version', '0.1'],
      ['block-size', '524288'],
    ]),
    routes: [{ start: 0, end: 255, url: 'dir:///blocks' }],
  })

test('what is written is read again, whatever the tree', () => {
  const name = fc
    .stringMatching(/^[^/\0]{1,20}$/)
    .filter((text) => text !== '.' && text !== '..' && !/\p{Surrogate}/u.test(text))
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
      const sorted = names.sort((a, b) => (a < b ? -1 : 1))
      const entries = sorted.map((one, at) =>
        at % 3 === 0
          ? entry(`/${one}`, { size: 524_289, blocks: [1, 2].map((byte) => ({ id: hex32(byte), key: hex32(at) })) })
          : at % 3 === 1
            ? entry(`/${one}`, { mode: 0o120777, target: one, size: Buffer.byteLength(one) })
            : entry(`/${one}`, { mode: 0o60660, rdev: makeRdev(at * 300, at * 70_000) }),
      )
      const read = readFlist(written([top, ...entries]), 'own.fl')
      assert.equal(read.entries, [top, ...entries])
      assert.equal([...read.tags.keys()], ['block-size', 'version'])
    }),
    { numRuns: 30 },
  )
})

test('a written flist has the schema, the header and the order that readers rely on', () => {
  const id = (byte: number) => ({ id: hex32(byte), key: hex32(0) })
  const bytes = written([top, entry('/big', { size: 3 * 524_288, blocks: [id(9), id(1), id(5)] })])
  assert.equal([...bytes.subarray(16, 20)], [0x10, 0, 1, 1])
  const db = new Database(Buffer.from(bytes))
  const query = (sql: string) => db.prepare(sql).raw().all() as unknown[][]
  assert.equal(query('SELECT ino, parent, name, typeof(name) FROM inode'), [
    [1, 0, '/', 'text'],
    [2, 1, 'big', 'text'],
  ])
  // As the program asks, without an order.
  assert.equal(
    query('SELECT id, key FROM block WHERE ino = 2').map(([one]) => (one as Buffer)[0]),
    [9, 1, 5],
  )
  const shape = (of: Database.Database, table: string) => of.pragma(`table_info(${table})`)
  const other = new Database(Buffer.from(handMade(sample)))
  for (const table of ['inode', 'extra', 'block', 'tag', 'route']) assert.equal(shape(db, table), shape(other, table))
  const indexes = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' ORDER BY name"
  assert.equal(query(indexes), other.prepare(indexes).raw().all())
  db.close()
  other.close()
})

test('the same value gives the same bytes, and another SQLite finds them in order', () => {
  const entries = [top, entry('/a'), entry('/b', { mode: 0o40700 }), entry('/b/c')]
  assert.ok(Buffer.from(written(entries)).equals(written(entries)))
  assert.match(sqliteVersion(), /^3\.\d+\.\d+$/)
  const folder = mkdtempSync(join(tmpdir(), 'zos-flist-'))
  try {
    writeFileSync(join(folder, 'own.fl'), written(entries))
    const script = [
      'import sqlite3, sys',
      'db = sqlite3.connect(sys.argv[1])',
      "print(db.execute('PRAGMA integrity_check').fetchone()[0], db.execute('PRAGMA journal_mode').fetchone()[0])",
      "print(db.execute('SELECT count(*) FROM inode').fetchone()[0])",
    ].join('\n')
    const { stdout, stderr } = spawnSync('python3', ['-c', script, join(folder, 'own.fl')], { encoding: 'utf8' })
    assert.is(stdout, 'ok delete\n4\n', stderr)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('what the format cannot hold is refused with its path', () => {
  const wrong: readonly FlistEntry[][] = [
    [],
    [entry('/a')],
    [top, entry('/a/b')],
    [top, entry(`/${'ä'.repeat(128)}`)],
    [top, entry('/\ud800')],
    [top, entry('/a', { size: 1 })],
    [top, entry('/a', { mode: 0o120777, target: 'x'.repeat(4097) })],
    [top, entry('/a', { mode: 0o120777 })],
  ]
  for (const entries of wrong) {
    let error: unknown
    try {
      written(entries)
    } catch (caught) {
      error = caught
    }
    assert.ok(isZosError(error) && error.code === 'FLIST_ENTRY', String(error))
  }
})

test('device numbers are Linux’s', () => {
  // As stat(1) shows them for /dev/tty, /dev/sda and a large one.
  assert.is(makeRdev(5, 0), 0x500)
  assert.is(makeRdev(8, 0), 0x800)
  assert.is(makeRdev(259, 300), 0x11_032c)
  fc.assert(
    fc.property(fc.nat(0xfff_ff), fc.nat(0xff_ffff), (major, minor) => {
      assert.equal(splitRdev(makeRdev(major, minor)), { major, minor })
    }),
  )
})

test.run()
