import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { paxRecord } from '../dist/format/pax.js'
import { readTar } from '../dist/format/tar-read.js'
import { readTarTree, type TarTreeOptions } from '../dist/format/tar-tree.js'
import { tarHead } from '../dist/format/tar-write.js'
import type { TreeRecord } from '../dist/model/entry.js'
import { at, chunked, fails, MemoryBlobs } from './archive-fixtures.js'

const blobs = new MemoryBlobs()
const owner = { mode: 0o644, uid: 0, gid: 0 }
const file = (path: string, size = 0): TreeRecord => ({ path, kind: 'file', ...owner, blob: { sha256: '', size } })

interface Fields {
  name?: string | Buffer
  flag?: string
  link?: string
  size?: number | string
  uid?: string
  content?: string | Uint8Array
}

/** A header of a file, with fields put in as they are, a checksum that holds, and content. */
const member = (fields: Fields): Buffer => {
  const content = Buffer.from((fields.content ?? '') as Uint8Array)
  const block = Buffer.from(tarHead(file('/x', content.length), undefined, 0))
  const put = (value: string | Buffer | undefined, start: number, length: number) => {
    if (value === undefined) return
    block.fill(0, start, start + length)
    Buffer.from(value as Buffer).copy(block, start)
  }
  put(fields.name, 0, 100)
  put(fields.uid, 108, 8)
  put(typeof fields.size === 'number' ? fields.size.toString(8).padStart(11, '0') : fields.size, 124, 12)
  put(fields.flag, 156, 1)
  put(fields.link, 157, 100)
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}
const end = Buffer.alloc(1024)
const pax = (keyword: string, value: string | Uint8Array, flag = 'x'): Buffer =>
  member({ name: 'pax', flag, content: paxRecord(keyword, value) })

const tree = (parts: Uint8Array[], options: TarTreeOptions = {}) =>
  readTarTree(chunked(Buffer.concat([...parts, end]), 1000), blobs, { name: 'a.tar', ...options })

const refused: [what: string, code: string, message: RegExp, parts: Uint8Array[], options?: TarTreeOptions][] = [
  [
    'a name that climbs',
    'TAR_PATH',
    /a\.tar, byte 0: entry "a\/\.\.\/\.\.\/x": has a '\.\.'/,
    [member({ name: 'a/../../x' })],
  ],
  ['an absolute name', 'TAR_PATH', /absolute/, [member({ name: '/etc/passwd' })]],
  ['an empty name', 'TAR_PATH', /empty/, [member({ name: '' })]],
  [
    'a name that is not UTF-8',
    'TAR_PATH',
    /"ÿé" \(shown as Latin-1\) is not UTF-8/,
    [member({ name: Buffer.from([0xff, 0xe9]) })],
  ],
  ['a PAX name with a NUL', 'TAR_PATH', /NUL/, [pax('path', 'a\0b'), member({})]],
  [
    'a long name over the limit',
    'TAR_LIMIT',
    /path of 5000 bytes; expected at most 4096/,
    [pax('path', 'x'.repeat(5000)), member({})],
  ],
  ['a symlink without a target', 'TAR_PATH', /without a target/, [member({ flag: '2' })]],
  [
    'a hard link to nothing',
    'TAR_LINK',
    /"b", no earlier entry; expected an earlier file/,
    [member({ flag: '1', link: 'b' })],
  ],
  [
    'a hard link to a later file',
    'TAR_LINK',
    /no earlier entry/,
    [member({ flag: '1', link: 'b' }), member({ name: 'b' })],
  ],
  ['a hard link out of the archive', 'TAR_PATH', /hard link to a '\.\.'/, [member({ flag: '1', link: '../b' })]],
  [
    'a hard link to a directory',
    'TAR_LINK',
    /a directory; expected/,
    [member({ name: 'd/', flag: '5' }), member({ flag: '1', link: 'd' })],
  ],
  ['a hard link to itself', 'TAR_LINK', /itself/, [member({}), member({ flag: '1', link: 'x' })]],
  ['a device where none may be', 'TAR_DEVICE', /block device/, [member({ flag: '4' })], { devices: 'refuse' }],
  ['a GNU sparse file', 'TAR_SPARSE', /sparse/, [member({ flag: 'S' })]],
  ['a PAX sparse file', 'TAR_SPARSE', /sparse/, [pax('GNU.sparse.major', '1'), member({})]],
  ['an unknown type', 'TAR_TYPE', /unknown type "V"/, [member({ flag: 'V' })]],
  [
    'a link with content',
    'TAR_SIZE',
    /entry "x": has 3 bytes of content; expected none for a symlink/,
    [member({ flag: '2', link: 'y', content: 'abc' })],
  ],
  [
    'a directory that becomes a file',
    'TAR_CONFLICT',
    /is a file, and was a directory/,
    [member({ name: 'a', flag: '5' }), member({ name: 'a' })],
  ],
  ['a size that is no number', 'TAR_NUMBER', /size is 0x39/, [member({ size: '99999999999' })]],
  ['a negative uid', 'TAR_NUMBER', /uid is 0xffffffffffffffff/, [negativeUid()]],
  ['a PAX size that is no number', 'TAR_NUMBER', /PAX size is "1e3"/, [pax('size', '1e3'), member({})]],
  ['an uid over 32 bits', 'TAR_NUMBER', /uid is 4294967295/, [pax('uid', '4294967295'), member({})]],
  ['a malformed PAX header', 'TAR_PAX', /malformed record length/, [member({ flag: 'x', content: '5 a' }), member({})]],
  [
    'a PAX header over the limit',
    'TAR_LIMIT',
    /extended headers of .* at most 1048576/,
    [pax('a', 'x'.repeat(1024 ** 2)), member({})],
  ],
  ['PAX headers that add up', 'TAR_LIMIT', /extended headers/, [...Array(3000).fill(pax('a', 'x')), member({})]],
  ['an extended header at the end', 'TAR_TRUNCATED', /without the entry/, [pax('a', 'b')]],
  [
    'more entries than allowed',
    'TAR_LIMIT',
    /more than 1 entries/,
    [member({}), member({ name: 'y' })],
    { limits: { entries: 1 } },
  ],
  [
    'a file over the limit',
    'TAR_LIMIT',
    /10 bytes; expected at most 9 a file/,
    [member({ content: '0123456789' })],
    { limits: { fileBytes: 9 } },
  ],
  [
    'files over the limit in all',
    'TAR_LIMIT',
    /12 bytes with those before it/,
    [member({ content: '123456' }), member({ name: 'y', content: '123456' })],
    { limits: { totalBytes: 11 } },
  ],
  ['another archive behind the end', 'TAR_AFTER_END', /byte 1024: data after the end/, [member({}), end, member({})]],
]

function negativeUid(): Buffer {
  const block = member({})
  block.fill(0xff, 108, 116)
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

for (const [what, code, message, parts, options] of refused) {
  test(`refuses ${what}`, () => fails(code, message, () => tree(parts, options)))
}

test('a damaged header says what was found and expected', async () => {
  const damaged = member({ name: 'abc' })
  damaged[0] = 0x62
  await fails('TAR_CHECKSUM', /a\.tar, byte 512: the header checksum is 0\d+, expected 0\d+/, () =>
    tree([member({}), damaged]),
  )
})

test('sizes that lie are found: in content, padding, headers, and without an end', async () => {
  const whole = Buffer.concat([member({ content: 'x'.repeat(1000) }), end])
  const cut = (bytes: number, options = {}) => readTarTree(chunked(whole.subarray(0, bytes), 333), blobs, options)
  await fails('TAR_TRUNCATED', /only 100 bytes are left/, () => cut(100))
  await fails('TAR_TRUNCATED', /byte 1000: entry "x": 512 bytes are missing/, () => cut(1000))
  await fails('TAR_TRUNCATED', /padding: 24 bytes are missing/, () => cut(1512))
  await fails('TAR_TRUNCATED', /byte 1536: the archive ends here; expected a header or the end marker/, () => cut(1536))
  await fails('TAR_TRUNCATED', /ends here/, () => cut(0))
  assert.is((await cut(1536, { end: 'none' })).length, 1)
  assert.is((await cut(1536 + 512)).length, 1)
  await fails('TAR_TRUNCATED', /512 bytes are missing/, () => cut(1000, { end: 'none' }))
})

test('names are normalised, and components stripped from links too', async () => {
  const records = await tree(
    [
      member({ name: './', flag: '5' }),
      member({ name: './pkg-1.0//', flag: '5' }),
      member({ name: 'pkg-1.0/./a//b', content: 'hi' }),
      member({ name: 'pkg-1.0/c', flag: '1', link: './pkg-1.0/a/b' }),
    ],
    { strip: 1 },
  )
  assert.equal(
    records.map((one) => [one.path, one.kind]),
    [
      ['/a/b', 'file'],
      ['/c', 'file'],
    ],
  )
  assert.is(at(records, '/c', 'file').link, '/a/b')
  const absolute = await tree([member({ name: '/a' }), member({ name: 'b', flag: '1', link: '/a' })], {
    absolute: 'strip',
  })
  assert.equal(
    absolute.map((one) => one.path),
    ['/a', '/b'],
  )
})

test('a later entry takes the earlier place; its hard links keep the content', async () => {
  const records = await tree([
    member({ name: 'a', content: 'old' }),
    member({ name: 'b', flag: '1', link: 'a' }),
    member({ name: 'c', flag: '1', link: 'b' }),
    member({ name: 'a', content: 'new' }),
    member({ name: 'd', flag: '5' }),
    member({ name: 'd/', flag: '5', uid: '0000005' }),
  ])
  assert.is(blobs.text(at(records, '/a', 'file').blob), 'new')
  assert.is(at(records, '/a', 'file').link, undefined)
  assert.is(blobs.text(at(records, '/b', 'file').blob), 'old')
  assert.is(at(records, '/c', 'file').link, '/b')
  assert.is(at(records, '/d', 'directory').uid, 5)
})

test('PAX: local over global, empty takes back, byte values, unknown keywords stay', async () => {
  const parts = [
    pax('uid', '7', 'g'),
    pax('comment', 'all', 'g'),
    member({ name: 'a' }),
    member({
      flag: 'x',
      content: Buffer.concat([
        paxRecord('uid', ''),
        paxRecord('path', 'very/long'),
        paxRecord('APK-TOOLS.checksum.SHA1', 'c0ffee'),
        paxRecord('SCHILY.xattr.user.b', Buffer.from([0, 255, 10])),
        paxRecord('SCHILY.xattr.security.a', Buffer.from([1])),
        paxRecord('SCHILY.xattr.__proto__', 'x'),
      ]),
    }),
    member({ name: Buffer.from([0xff]) }),
    member({ name: 'c' }),
    end,
  ]
  const headers = []
  for await (const { header } of readTar(chunked(Buffer.concat(parts)))) headers.push(header)
  assert.equal(
    headers.map((one) => [one.path, one.uid]),
    [
      ['a', 7],
      ['very/long', 0],
      ['c', 7],
    ],
  )
  assert.equal(Object.entries(headers[1]?.xattrs ?? {}), [
    ['__proto__', 'eA=='],
    ['security.a', 'AQ=='],
    ['user.b', 'AP8K'],
  ])
  assert.is(Buffer.from(headers[1]?.pax.get('APK-TOOLS.checksum.SHA1') ?? []).toString(), 'c0ffee')
  assert.is(Buffer.from(headers[2]?.pax.get('comment') ?? []).toString(), 'all')
})

test('content that nobody reads is skipped, and cannot be read after its turn', async () => {
  const archive = Buffer.concat([member({ content: 'x'.repeat(2000) }), member({ name: 'y', content: 'yes' }), end])
  let first: AsyncIterable<Uint8Array> | undefined
  const seen: string[] = []
  for await (const { header, content } of readTar(chunked(archive, 100))) {
    if (header.path === 'y') seen.push(Buffer.from((await content?.bytes()) ?? []).toString())
    else if (content) {
      for await (const bytes of content) {
        seen.push(String(bytes.length))
        break
      }
      first = content
    }
  }
  assert.equal(seen, ['88', 'yes'])
  let thrown = false
  try {
    for await (const _ of first ?? []) break
  } catch {
    thrown = true
  }
  assert.ok(thrown)
})

test('the source is closed when the reader stops early, and when a put fails', async () => {
  let closed = 0
  async function* source() {
    try {
      for (;;) yield member({ content: 'x' })
    } finally {
      closed += 1
    }
  }
  for await (const _ of readTar(source())) break
  assert.is(closed, 1)
  const full = { put: () => Promise.reject(new Error('no space left')) }
  try {
    await readTarTree(source(), full)
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /no space/)
  }
  assert.is(closed, 2)
})

test('reading waits for the consumer: nothing is taken ahead', async () => {
  let taken = 0
  async function* source() {
    for (let i = 0; i < 100; i++) {
      taken += 1
      yield member({ name: `f${i}`, content: 'x' })
    }
    yield end
  }
  const entries = readTar(source())
  await entries.next()
  await entries.next()
  assert.ok(taken <= 2, String(taken))
  await entries.return()
})

test('small files are put side by side, within bounds', async () => {
  const many = new MemoryBlobs()
  const parts = Array.from({ length: 200 }, (_, i) => member({ name: `f${i}`, content: `content ${i}` }))
  const records = await readTarTree(chunked(Buffer.concat([...parts, end])), many)
  assert.is(records.length, 200)
  assert.ok(many.mostAtOnce > 1 && many.mostAtOnce <= 16, String(many.mostAtOnce))
})

test.run()
