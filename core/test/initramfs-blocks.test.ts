import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, groupsOf } from '../dist/builtin/initramfs-blocks.js'
import type { ArchivePiece } from '../dist/format/archive-piece.js'
import type { TreeRecord } from '../dist/model/entry.js'

const blob = { sha256: '0'.repeat(64), size: 0 }
const file = (path: string, plugin: string, link?: string): TreeRecord => ({
  path,
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  blob,
  origin: { plugin },
  ...(link !== undefined && { link }),
})
const directory = (path: string): TreeRecord => ({ path, kind: 'directory', mode: 0o755, uid: 0, gid: 0 })
const piece = (path: string, size: number): ArchivePiece => ({ path, head: new Uint8Array(), padding: 0, size })
const sizes = { least: 100, most: 400 }

test('directories first, then plugins in their order', () => {
  const records = [directory('/a'), file('/a/unit', 'zinit'), file('/a/sh', 'debian'), directory('/b')]
  assert.equal(
    groupsOf(records, ['debian', 'zinit']).map(({ name, records: list }) => [name, list.map(({ path }) => path)]),
    [
      ['directories', ['/a', '/b']],
      ['debian', ['/a/sh']],
      ['zinit', ['/a/unit']],
    ],
  )
})

test('hard links stay in the group of the first', () => {
  const groups = groupsOf([file('/a', 'debian', '/a'), file('/b', 'zinit', '/a')], ['debian', 'zinit'])
  assert.equal(
    groups.map(({ name, records }) => [name, records.length]),
    [['debian', 2]],
  )
})

const pieces = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 60 })
  .chain((names) =>
    fc.tuple(...names.map((name) => fc.integer({ min: 1, max: 90 }).map((size) => piece(`/${name}`, size)))),
  )

test('every piece is in one block, in its order, and a block is of one group and no larger than allowed', () => {
  const groupOf = (path: string): string => (path < '/k' ? 'first' : 'second')
  fc.assert(
    fc.property(pieces, (list) => {
      const blocks = blocksOf(list, groupOf, sizes)
      assert.equal(
        blocks.flatMap((block) => block.pieces),
        list,
      )
      for (const block of blocks) {
        assert.is(
          block.size,
          block.pieces.reduce((sum, { size }) => sum + size, 0),
        )
        assert.ok(block.pieces.length === 1 || block.size <= sizes.most)
        assert.ok(block.pieces.every(({ path }) => groupOf(path) === block.group))
      }
    }),
  )
})

test('a file that grows moves no border far from it', () => {
  const list = Array.from({ length: 2000 }, (_, index) => piece(`/usr/share/file-${index}`, 20))
  const grown = list.map((one, index) => (index === 10 ? piece(one.path, 31) : one))
  const borders = (all: readonly ArchivePiece[]): Set<string> =>
    new Set(blocksOf(all, () => 'group', sizes).map((block) => block.pieces[0]!.path))
  const [before, after] = [borders(list), borders(grown)]
  const moved = [...before].filter((path) => !after.has(path))
  assert.ok(before.size > 100, `${before.size} blocks`)
  assert.ok(moved.length < 10, `${moved.length} of ${before.size} borders moved`)
})

test.run()
