import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { readTarTree } from '../dist/format/tar-tree.js'
import { tarPieces, writeTar } from '../dist/format/tar-write.js'
import { writeFolder } from '../dist/io/folder-write.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { FileTree } from '../dist/model/tree.js'
import { chunked, collect, MemoryBlobs, sampleRecords, scratch } from './archive-fixtures.js'

const epoch = 1_700_000_000

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
  .filter((text) => !/[/\0]|^\.\.?$/.test(text) && !/\p{Surrogate}/u.test(text))
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join('/')}`)
const id = fc.oneof(fc.constantFrom(0, 1000, 0o7777777, 0o10000000, 0xffff_fffe), fc.nat(70_000))
const attributes = fc.record({
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  xattrs: fc.dictionary(
    fc.stringMatching(/^(user|security)\.[a-z_ é]{1,20}$/),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    { minKeys: 1, maxKeys: 3 },
  ),
})
const contents = new MemoryBlobs()
const entry = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => ({ kind: 'file' as const, blob: contents.add(bytes) })),
  fc.constant({ kind: 'directory' as const }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }).map((target) => ({
    kind: 'symlink' as const,
    target: target.replaceAll('\0', '.'),
  })),
  fc.record({
    kind: fc.constantFrom('character' as const, 'block' as const),
    major: fc.nat(0xfff),
    minor: fc.nat(0xf_ffff),
  }),
  fc.constant({ kind: 'fifo' as const }),
)
const record = fc
  .tuple(path, attributes, entry, fc.boolean())
  .map(([at, { xattrs, ...rest }, kind, plain]): TreeRecord => {
    const sorted = Object.fromEntries(Object.entries(xattrs).sort(([a], [b]) => (a < b ? -1 : 1)))
    return { path: at, ...rest, ...kind, ...(plain ? {} : { xattrs: sorted }) }
  })
const records = fc.uniqueArray(record, { selector: (one) => one.path, maxLength: 20 })

test('any records come back from tar as they were', () =>
  fc.assert(
    fc.asyncProperty(records, fc.integer({ min: 1, max: 3000 }), async (wanted, chunk) => {
      const archive = await collect(writeTar(wanted, contents, { epoch }))
      const back = await readTarTree(chunked(archive, chunk), new MemoryBlobs())
      assert.equal(back, wanted)
    }),
    { numRuns: 200 },
  ))

test('hard links come back in their groups', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 12 }), async (groups) => {
      const blobs = new MemoryBlobs()
      const first = new Map<number, string>()
      const wanted = groups.map((group, i): TreeRecord => {
        const at = `/f${i}`
        if (!first.has(group)) first.set(group, at)
        const alone = groups.filter((other) => other === group).length === 1
        const link = alone ? {} : { link: first.get(group) ?? at }
        return { path: at, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: blobs.add(`content ${group}`), ...link }
      })
      const archive = await collect(writeTar(wanted, blobs, { epoch }))
      assert.equal(await readTarTree(chunked(archive), blobs), wanted)
    }),
  ))

/** Reads, and writes what was read to a folder beside a canary. Gives whether all of it worked. */
const unpack = async (archive: Uint8Array, chunk: number, root: string): Promise<boolean> => {
  const blobs = new MemoryBlobs()
  try {
    const tree = FileTree.from(
      await readTarTree(chunked(archive, chunk), blobs, { limits: { totalBytes: 10_000_000 } }),
    )
    await writeFolder(tree.records(), blobs, root, { epoch, special: 'skip' })
    return true
  } catch (error) {
    if (!isZosError(error)) throw error
    return false
  }
}

const fuzz = async (property: (root: () => string, check: () => void) => Promise<void>) => {
  const { path: folder, remove } = scratch()
  writeFileSync(join(folder, 'canary'), 'alive')
  mkdirSync(join(folder, 'roots'))
  let runs = 0
  const check = () => {
    assert.equal(readdirSync(folder).sort(), ['canary', 'roots'])
    assert.is(readFileSync(join(folder, 'canary'), 'utf8'), 'alive')
  }
  try {
    await property(() => join(folder, 'roots', String(runs++)), check)
  } finally {
    remove()
  }
}

test('bit flips and cuts give records or a ZosError, and never a file outside', () =>
  fuzz(async (root, check) => {
    const blobs = new MemoryBlobs()
    const sample = sampleRecords(blobs).filter((one) => one.path !== '/usr/bin/big')
    const archive = await collect(writeTar(sample, blobs, { epoch }))
    const change = fc.tuple(fc.nat(archive.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.nat(archive.length), async (changes, length) => {
        const damaged = Buffer.from(archive)
        for (const [at, byte] of changes) damaged[at] = byte
        await unpack(length % 2 === 0 ? damaged.subarray(0, length) : damaged, 1 + (length % 4000), root())
        check()
      }),
      { numRuns: 200 },
    )
  }))

test('damaged headers whose checksums hold reach everything behind them', () =>
  fuzz(async (root, check) => {
    const blobs = new MemoryBlobs()
    const sample = sampleRecords(blobs).filter((one) => one.path !== '/usr/bin/big')
    const archive = await collect(writeTar(sample, blobs, { epoch }))
    const headers: number[] = []
    let offset = 0
    for (const piece of tarPieces(sample, { epoch })) {
      headers.push(offset)
      offset += piece.size
    }
    headers.pop()
    const octal = fc.constantFrom('\0', '0', '1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S')
    const text = fc.constantFrom(
      '../canary',
      '/canary',
      '..',
      'a/../../canary',
      'usr',
      'sbin/x',
      'usr/bin/a',
      './',
      'tmp/',
      '\xff',
    )
    const edit = fc.oneof(
      fc.tuple(fc.constant(156), octal),
      fc.tuple(
        fc.constantFrom(0, 157),
        text.map((value) => `${value}\0`),
      ),
      fc.tuple(fc.constantFrom(100, 108, 116, 124, 329, 337), fc.stringMatching(/^[0-9 \0]{1,8}$/)),
      fc.tuple(fc.nat(511), fc.string({ maxLength: 4 })),
    )
    let good = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...headers), edit), { minLength: 1, maxLength: 4 }),
        async (edits) => {
          const damaged = Buffer.from(archive)
          for (const [start, [at, value]] of edits) {
            const block = damaged.subarray(start, start + 512)
            block.write(value, at, 'latin1')
            block.fill(0x20, 148, 156)
            block.write(
              block
                .reduce((sum, byte) => sum + byte, 0)
                .toString(8)
                .padStart(6, '0'),
              148,
            )
          }
          if (await unpack(damaged, 5000, root())) good += 1
          check()
        },
      ),
      { numRuns: 300 },
    )
    assert.ok(good > 10, `only ${good} archives were read`)
  }))

test('random bytes are refused', () =>
  fuzz(async (root, check) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        await unpack(bytes, 700, root())
        check()
      }),
      { numRuns: 100 },
    )
  }))

test.run()
