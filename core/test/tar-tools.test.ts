// GNU tar as the judge, in both directions.
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readTarTree } from '../dist/format/tar-tree.js'
import { writeTar } from '../dist/format/tar-write.js'
import { at, byPath, chunked, collect, hasTool, MemoryBlobs, run, sampleRecords, scratch } from './archive-fixtures.js'

if (!hasTool('tar')) console.log('skip tar-tools: no tar')
// Modes below are those of files made here.
process.umask(0o022)
const root = process.getuid?.() === 0
const epoch = 1_700_000_000
const judged = hasTool('tar') ? test : test.skip

for (const format of ['ustar', 'posix', 'gnu', 'oldgnu', 'v7'] as const) {
  judged(`reads what tar --format=${format} wrote`, async () => {
    const { path, remove } = scratch()
    try {
      const long =
        format === 'v7' ? 'l'.repeat(80) : format === 'ustar' ? `${'p'.repeat(90)}/${'l'.repeat(90)}` : 'l'.repeat(220)
      mkdirSync(join(path, 'etc/sub'), { recursive: true })
      mkdirSync(join(path, long, '..'), { recursive: true })
      writeFileSync(join(path, long), 'long')
      writeFileSync(join(path, 'etc/é中.txt'), 'unicode')
      writeFileSync(join(path, 'etc/one'), 'x'.repeat(513))
      linkSync(join(path, 'etc/one'), join(path, 'etc/two'))
      symlinkSync('../etc/one', join(path, 'etc/sub/link'))
      writeFileSync(join(path, 'etc/empty'), '')
      chmodSync(join(path, 'etc/empty'), 0o2755)
      chmodSync(join(path, 'etc/sub'), 0o1777)
      const ids = format === 'posix' || format === 'gnu' ? 3_000_000_000 : 1234
      const archive = run('tar', [
        '-C',
        path,
        '--sort=name',
        `--format=${format}`,
        `--owner=:${ids}`,
        '--group=:77',
        '-c',
        '.',
      ])
      for (const chunk of [64 * 1024, 1000, 7]) {
        const blobs = new MemoryBlobs()
        const origin = { plugin: 'test', package: 'p' }
        const records = await readTarTree(chunked(archive, chunk), blobs, { origin })
        const linked = { kind: 'file', mode: 0o644, uid: ids, gid: 77, link: '/etc/one', origin }
        const one = at(records, '/etc/one', 'file')
        assert.equal(one, { ...linked, path: '/etc/one', blob: blobs.add('x'.repeat(513)) })
        assert.equal(at(records, '/etc/two', 'file'), { ...one, path: '/etc/two' })
        assert.is(at(records, '/etc/sub/link', 'symlink').target, '../etc/one')
        assert.is(at(records, '/etc/empty', 'file').mode, 0o2755)
        assert.is(at(records, '/etc/sub', 'directory').mode, 0o1777)
        assert.is(blobs.text(at(records, '/etc/é中.txt', 'file').blob), 'unicode')
        assert.is(blobs.text(at(records, `/${long}`, 'file').blob), 'long')
        assert.not.ok(records.some((record) => record.path === '/'))
      }
    } finally {
      remove()
    }
  })
}

judged('tar lists what writeTar wrote: types, modes, owners, devices, links, xattrs', async () => {
  const blobs = new MemoryBlobs()
  const xattrs = { 'security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'user.text': 'Cg==' }
  const records = sampleRecords(blobs).map((one) => (one.path === '/usr/bin/empty' ? { ...one, xattrs } : one))
  const archive = await collect(writeTar(records, blobs, { epoch }))
  const listed = run(
    'tar',
    ['--numeric-owner', '--quoting-style=literal', '--full-time', '--xattrs-include=*', '-tvvf', '-'],
    {
      input: archive,
    },
  )
  const lines = listed
    .toString()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').replace(' 2023-11-14 22:13:20', ''))
  for (const line of [
    'crw------- 0/0 5,1 dev/console',
    'prw-r--r-- 0/0 0 dev/pipe',
    'brw-rw---- 0/6 259,70000 dev/vda300',
    '-rw-r----- 1000/100 9 home/grüße-日本.txt',
    'lrwxrwxrwx 0/0 0 sbin -> usr/sbin',
    'drwxrwxrwt 0/0 0 tmp/',
    '-rwsr-xr-x 0/0 18 usr/bin/a',
    'hrwsr-xr-x 0/0 0 usr/bin/b link to usr/bin/a',
    'hrwsr-xr-x 0/0 0 usr/bin/c link to usr/bin/a',
    '-rw-r--r--* 3000000000/65534 0 usr/bin/empty',
    ' x: 20 security.capability',
    ' x: 1 user.text',
    `-rw-r--r-- 0/0 10 usr/share/${'d'.repeat(120)}/${'n'.repeat(90)}`,
    `-rw-r--r-- 0/0 8 usr/share/${'d'.repeat(120)}/${'n'.repeat(200)}`,
    `lrwxrwxrwx 0/0 0 usr/share/long -> ../${'t/'.repeat(150)}end`,
  ]) {
    assert.ok(lines.includes(line), `${line}\n${listed}`)
  }
  assert.is(lines.filter((line) => /^[-hdlcbp]/.test(line)).length, records.length)
  const again = await readTarTree(chunked(archive), blobs)
  assert.equal(again, records)
})

judged('tar extracts what writeTar wrote, xattrs too', async () => {
  const { path, remove } = scratch()
  try {
    const blobs = new MemoryBlobs()
    const wanted = sampleRecords(blobs)
      .filter((one) => root || (one.kind !== 'character' && one.kind !== 'block'))
      .map((one) => (one.path === '/usr/bin/empty' ? { ...one, xattrs: { 'user.zos': 'AAH/' } } : one))
    if (!root) console.log('skip tar-tools devices: not root')
    const archive = await collect(writeTar(wanted, blobs, { epoch }))
    run('tar', ['-C', path, '--xattrs', '--numeric-owner', '-p', '-x'], { input: archive })
    const back = run('tar', ['-C', path, '--xattrs', '--format=posix', '--sort=name', '-c', '.'])
    const records = await readTarTree(chunked(back), new MemoryBlobs())
    const plain = (list: typeof records) =>
      byPath(list).map((one) => (root ? one : { ...one, uid: 0, gid: 0, mode: one.mode & 0o777 }))
    assert.equal(plain(records), plain(wanted))
  } finally {
    remove()
  }
})

test.run()
