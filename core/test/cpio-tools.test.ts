// GNU cpio as the judge, in both directions.
import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeCpio } from '../dist/format/cpio.js'
import { readCpioTree } from '../dist/format/cpio-read.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { FileTree } from '../dist/model/tree.js'
import { chunked, collect, hasTool, MemoryBlobs, run, sampleRecords, scratch } from './archive-fixtures.js'

if (!hasTool('cpio')) console.log('skip cpio-tools: no cpio')
const root = process.getuid?.() === 0
const epoch = 1_700_000_000
const judged = hasTool('cpio') ? test : test.skip

/** What an ordinary user can extract. */
const possible = (one: TreeRecord) => root || (one.kind !== 'character' && one.kind !== 'block')

judged('cpio -t lists what writeCpio wrote, without a word on stderr', async () => {
  const blobs = new MemoryBlobs()
  const records = sampleRecords(blobs)
  const archive = await collect(writeCpio(records, blobs, { epoch }))
  assert.is(
    run('cpio', ['-t', '--quiet'], { input: archive }).toString(),
    records.map((one) => `${one.path.slice(1)}\n`).join(''),
  )
  const verbose = run('cpio', ['-tv', '--quiet', '-n'], { input: archive }).toString()
  for (const line of [
    /^crw------- +1 0 +0 +5, +1 Nov 14 +2023 dev\/console$/m,
    /^brw-rw---- +1 0 +6 +259, *70000 Nov 14 +2023 dev\/vda300$/m,
    /^-rwsr-xr-x +3 0 +0 +18 Nov 14 +2023 usr\/bin\/c$/m,
    /^lrwxrwxrwx +1 0 +0 +8 Nov 14 +2023 sbin -> usr\/sbin$/m,
    /^drwxrwxrwt +1 0 +0 +0 Nov 14 +2023 tmp$/m,
  ]) {
    assert.match(verbose, line)
  }
})

judged('cpio -i extracts what writeCpio wrote, hard links as one file', async () => {
  const { path, remove } = scratch()
  try {
    const blobs = new MemoryBlobs()
    const records = sampleRecords(blobs).filter(possible)
    if (!root) console.log('skip cpio-tools devices: not root')
    run('cpio', ['-i', '--quiet', '-m'], { cwd: path, input: await collect(writeCpio(records, blobs, { epoch })) })
    for (const record of records) {
      const full = join(path, record.path)
      const stats = lstatSync(full)
      if (root)
        assert.equal(
          [record.path, stats.mode & 0o7777, stats.uid, stats.gid],
          [record.path, record.mode, record.uid, record.gid],
        )
      if (record.kind === 'file') {
        assert.is(stats.mtimeMs, epoch * 1000)
        assert.is(readFileSync(full).compare(await blobs.read(record.blob)), 0, record.path)
      }
      if (record.kind === 'symlink') assert.is(readlinkSync(full), record.target)
    }
    const inodes = ['a', 'b', 'c'].map((name) => statSync(join(path, 'usr/bin', name)).ino)
    assert.is(new Set(inodes).size, 1)
  } finally {
    remove()
  }
})

judged('readCpioTree reads what cpio -o wrote, hard links with them', async () => {
  const { path, remove } = scratch()
  try {
    const blobs = new MemoryBlobs()
    const wanted = sampleRecords(blobs).filter(possible)
    run('cpio', ['-i', '--quiet'], { cwd: path, input: await collect(writeCpio(wanted, blobs, { epoch })) })
    const names = wanted.map((one) => `.${one.path}\n`).join('')
    const archive = run('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd: path, input: `.\n${names}` })
    const records = await readCpioTree(chunked(archive))
    assert.is(records.shift()?.path, '/')
    // GNU cpio puts hard links off to the end, so that another of them comes first: a tree has its own order.
    const plain = (list: TreeRecord[]) => [
      ...FileTree.from(list.map((one) => (root ? one : { ...one, uid: 0, gid: 0, mode: one.mode & 0o777 }))).records(),
    ]
    assert.equal(plain(records), plain(wanted))
  } finally {
    remove()
  }
})

test.run()
