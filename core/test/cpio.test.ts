import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type ArchivePiece, writePieces } from '../dist/format/archive-piece.js'
import { cpioPlan, pathHash, writeCpio } from '../dist/format/cpio.js'
import { parseCpioHeader } from '../dist/format/cpio-header.js'
import { readCpio, readCpioTree } from '../dist/format/cpio-read.js'
import type { Origin, TreeRecord } from '../dist/model/entry.js'
import { chunked, collect, fails, MemoryBlobs, sampleRecords } from './archive-fixtures.js'

const epoch = 1_700_000_000
const blobs = new MemoryBlobs()
const owner = { uid: 0, gid: 0 }
const directory = (path: string): TreeRecord => ({ path, kind: 'directory', mode: 0o755, ...owner })
const file = (path: string, content = path, more: { link?: string; mode?: number } = {}): TreeRecord => ({
  path,
  kind: 'file',
  mode: 0o644,
  ...owner,
  blob: blobs.add(content),
  ...more,
})
const header = (piece: ArchivePiece | undefined) => {
  const parsed = parseCpioHeader(piece?.head ?? new Uint8Array(110))
  if ('problem' in parsed) throw new Error(parsed.problem)
  return parsed
}
const archiveOf = (records: TreeRecord[]) => collect(writeCpio(records, blobs, { epoch }))

test('every kind of record comes back, with content digests', async () => {
  const records = sampleRecords(blobs)
  const archive = await archiveOf(records)
  for (const size of [64 * 1024, 1000, 3]) assert.equal(await readCpioTree(chunked(archive, size)), records)
})

test('the bytes of a small archive are those of the format', async () => {
  const archive = await archiveOf([
    directory('/a'),
    { path: '/a/l', kind: 'symlink', mode: 0o777, ...owner, target: 'xyz' },
    file('/a/hello', 'hello', { mode: 0o755 }),
  ])
  const field = (value: number) => value.toString(16).toUpperCase().padStart(8, '0')
  const head = (ino: number, mode: number, mtime: number, size: number, name: string) =>
    `070701${[ino, mode, 0, 0, 1, mtime, size, 0, 0, 0, 0, name.length + 1, 0].map(field).join('')}${name}\0`
  assert.is(
    archive.toString('latin1'),
    [
      `${head(pathHash('/a'), 0o040755, epoch, 0, 'a')}`,
      `${head(pathHash('/a/l'), 0o120777, epoch, 3, 'a/l')}\0\0xyz\0`,
      `${head(pathHash('/a/hello'), 0o100755, epoch, 5, 'a/hello')}\0\0hello\0\0\0`,
      `${head(0, 0, 0, 0, 'TRAILER!!!')}\0\0\0`,
    ].join(''),
  )
})

test('FNV-1a is what it is called', () => {
  // Vectors from the authors' test suite: the empty string, "a", "foobar".
  assert.is(pathHash(''), 0x811c9dc5)
  assert.is(pathHash('a'), 0xe40c292c)
  assert.is(pathHash('foobar'), 0xbf9cf968)
})

test('hard links share a number and a count, content on the last; all else says one link', () => {
  const plan = cpioPlan(sampleRecords(blobs), { epoch })
  const links = plan.filter((piece) => /^\/usr\/bin\/[abc]$/.test(piece.path))
  assert.equal(
    links.map((piece) => header(piece).nlink),
    [3, 3, 3],
  )
  assert.is(new Set(links.map((piece) => header(piece).ino)).size, 1)
  assert.equal(
    links.map((piece) => header(piece).filesize),
    [0, 0, 18],
  )
  assert.equal(
    links.map((piece) => piece.blob?.size),
    [undefined, undefined, 18],
  )
  assert.ok(plan.filter((piece) => !links.includes(piece)).every((piece) => header(piece).nlink === 1))
  // One link whose other names are not in this archive is a plain file.
  const alone = cpioPlan([file('/x', 'x', { link: '/x' })], { epoch })
  assert.equal([header(alone[0]).nlink, header(alone[0]).filesize], [1, 1])
})

test('link groups whose paths hash alike get numbers of their own', () => {
  // Two paths with one FNV-1a value, found by search.
  const [a, b] = collision()
  assert.is(pathHash(a), pathHash(b))
  const group = (path: string) => [file(path, path, { link: path }), file(`${path}-too`, path, { link: path })]
  const plan = cpioPlan([...group(a), ...group(b)], { epoch })
  const numbers = plan.slice(0, 4).map((piece) => header(piece).ino)
  assert.equal(numbers, [pathHash(a), pathHash(a), pathHash(a) + 1, pathHash(a) + 1])
})

const collision = (): [string, string] => {
  const seen = new Map<number, string>()
  for (let i = 0; ; i++) {
    const path = `/${i.toString(36)}`
    const earlier = seen.get(pathHash(path))
    if (earlier) return [earlier, path]
    seen.set(pathHash(path), path)
  }
}

test('pieces: an edit, an added and a removed record change no other piece', () => {
  const before = [directory('/a'), ...Array.from({ length: 300 }, (_, i) => file(`/a/f${i}`, `${i}`))]
  before.push(file('/a/x', 'x', { link: '/a/x' }), file('/a/y', 'x', { link: '/a/x' }))
  const bytesOf = (records: TreeRecord[]) =>
    new Map(
      cpioPlan(records, { epoch }).map((piece) => [
        piece.path,
        `${piece.blob?.sha256} ${Buffer.from(piece.head).toString('hex')}`,
      ]),
    )
  const changed = (after: TreeRecord[]) => {
    const [old, now] = [bytesOf(before), bytesOf(after)]
    return [...now].filter(([path, bytes]) => old.get(path) !== bytes).map(([path]) => path)
  }
  assert.equal(changed(before.map((one) => (one.path === '/a/f7' ? file('/a/f7', 'edited') : one))), ['/a/f7'])
  assert.equal(changed([before[0]!, file('/a/aa'), ...before.slice(1)]), ['/a/aa'])
  assert.equal(changed(before.filter((one) => one.path !== '/a/f1')), [])
  assert.equal(changed([...before, file('/a/z', 'x', { link: '/a/x' })]), ['/a/x', '/a/y', '/a/z'])
})

test('an archive cut between any pieces is the archive, end to end; every piece is a multiple of 4', async () => {
  const records = sampleRecords(blobs)
  const plan = cpioPlan(records, { epoch })
  const whole = await archiveOf(records)
  assert.is(
    plan.reduce((sum, piece) => sum + piece.size, 0),
    whole.length,
  )
  assert.ok(plan.every((piece) => piece.size % 4 === 0))
  const parts: Buffer[] = []
  for (let start = 0; start < plan.length; start += 3) {
    const group = plan.slice(start, start + 3)
    const bytes = await collect(writePieces(group, blobs))
    assert.is(
      bytes.length,
      group.reduce((sum, piece) => sum + piece.size, 0),
    )
    parts.push(bytes)
  }
  assert.equal(Buffer.concat(parts), whole)
})

const origin: Origin = { plugin: 'debian', package: 'iputils-ping', source: 'iputils' }
const plain = { mode: 0o644, ...owner }
const huge = { sha256: 'f'.repeat(64), size: 2 ** 32 }
for (const [what, code, message, records] of [
  [
    'a file of 4 GiB',
    'CPIO_SIZE',
    /^\/big has 4294967296 bytes; expected less than 4 GiB/,
    [{ path: '/big', kind: 'file', ...plain, blob: huge }],
  ],
  [
    'extended attributes',
    'CPIO_XATTR',
    /^\/ping \(from debian, package iputils-ping, source iputils\) has the extended attribute security\.capability, user\.a;/,
    [{ ...file('/ping'), origin, xattrs: { 'user.a': '', 'security.capability': 'AA==' } }],
  ],
  ['a path that climbs', 'TREE_PATH', /normal form/, [file('/../x')]],
  ['a path over the limit', 'TREE_PATH', /bytes/, [file(`/${'x'.repeat(4096)}`)]],
  ['the trailer as a name', 'CPIO_PATH', /name that ends an archive/, [file('/TRAILER!!!')]],
  [
    'a target over the limit',
    'CPIO_PATH',
    /target of 4096 bytes; expected 1 to 4095/,
    [{ path: '/l', kind: 'symlink', ...plain, target: 'x'.repeat(4096) }],
  ],
  [
    'a record without its parent',
    'CPIO_ORDER',
    /^\/a\/b: \/a does not come before it/,
    [file('/a/b'), directory('/a')],
  ],
  [
    'a record below a link',
    'CPIO_ORDER',
    /^\/a\/b: \/a is a symlink/,
    [{ path: '/a', kind: 'symlink', ...plain, target: 'c' }, file('/a/b')],
  ],
  ['a record that comes twice', 'CPIO_ORDER', /^\/a comes twice/, [file('/a'), file('/a')]],
  [
    'hard links that differ',
    'CPIO_LINK',
    /^\/b and \/a are hard links/,
    [file('/a', 'x', { link: '/a' }), file('/b', 'y', { link: '/a' })],
  ],
  ['a uid over 32 bits', 'CPIO_RANGE', /^\/a: its uid is 4294967296/, [{ ...file('/a'), uid: 2 ** 32 }]],
] as [string, string, RegExp, TreeRecord[]][]) {
  test(`refuses ${what}`, () => fails(code, message, async () => cpioPlan(records, { epoch })))
}

test('refuses an epoch that is no 32-bit number', () =>
  fails('CPIO_RANGE', /mtime is -1/, async () => cpioPlan([file('/a')], { epoch: -1 })))

test('content that is not the blob stops the archive', async () => {
  const small = file('/small', 'good')
  const large = file('/large', 'x'.repeat(600_000))
  for (const [record, bytes] of [
    [small, 'evil'],
    [large, `${'x'.repeat(599_999)}y`],
    [large, 'x'],
    [large, 'x'.repeat(700_000)],
  ] as const) {
    if (record.kind !== 'file') continue
    const damaged = new MemoryBlobs()
    damaged.byDigest.set(record.blob.sha256, Buffer.from(bytes))
    await fails('BLOB_CORRUPT', new RegExp(`content of ${record.path} is not what was stored`), () =>
      collect(writeCpio([record], damaged, { epoch })),
    )
  }
  let unhandled = 0
  const count = () => void unhandled++
  process.on('unhandledRejection', count)
  const missing = Array.from({ length: 50 }, (_, i) => file(`/m${i}`))
  try {
    await collect(writeCpio(missing, new MemoryBlobs(), { epoch }))
    assert.unreachable()
  } catch (error) {
    assert.match((error as Error).message, /no blob/)
  }
  await new Promise((resolve) => setTimeout(resolve, 10))
  process.off('unhandledRejection', count)
  assert.is(unhandled, 0)
})

test('reading is strict', async () => {
  const archive = await archiveOf([file('/a', 'hello')])
  const changed = (at: number, text: string) => {
    const copy = Buffer.from(archive)
    copy.write(text, at, 'latin1')
    return copy
  }
  const read = (bytes: Uint8Array) => () => readCpioTree(chunked(bytes, 50), { name: 'i.cpio' })
  await fails('CPIO_MAGIC', /i\.cpio, byte 0: the magic "070702"; expected 070701/, read(changed(0, '070702')))
  await fails('CPIO_MAGIC', /not 8 hex digits/, read(changed(6, 'x')))
  await fails('CPIO_MAGIC', /checksum/, read(changed(6 + 12 * 8, '00000001')))
  await fails('CPIO_NAME', /name of 0 bytes/, read(changed(6 + 11 * 8, '00000000')))
  await fails('CPIO_NAME', /name of 4294967295 bytes/, read(changed(6 + 11 * 8, 'FFFFFFFF')))
  await fails('CPIO_NAME', /no UTF-8/, read(changed(110, '\xff')))
  await fails('CPIO_PATH', /absolute/, read(changed(110, '/')))
  await fails('CPIO_PADDING', /padding that is not zeros/, read(changed(112 + 5, '!')))
  await fails('CPIO_TYPE', /mode 0/, read(changed(6 + 8, '0000F1A4')))
  await fails('CPIO_TYPE', /has 5 bytes of content; expected none for a directory/, read(changed(6 + 8, '000041ED')))
  await fails('CPIO_TRUNCATED', /entry "a": 2 bytes are missing/, read(archive.subarray(0, 115)))
  await fails('CPIO_TRUNCATED', /a header or the trailer of 110 bytes/, read(archive.subarray(0, 120)))
  await fails('CPIO_TRUNCATED', /header/, read(new Uint8Array(0)))
  await fails('CPIO_AFTER_END', /byte 244: data after the trailer/, read(Buffer.concat([archive, archive])))
  assert.is((await read(Buffer.concat([archive, Buffer.alloc(1000)]))()).length, 1)
  const limited = (limits: object) => () => readCpioTree(chunked(archive), { limits })
  await fails('CPIO_LIMIT', /more than 0 entries/, limited({ entries: 0 }))
  await fails('CPIO_LIMIT', /5 bytes/, limited({ fileBytes: 4 }))
})

test('two hard links with content each are refused', async () => {
  const plan = cpioPlan([file('/a', 'x', { link: '/a' }), file('/b', 'x', { link: '/a' })], { epoch })
  const body = await collect(writePieces(plan.slice(1, 2), blobs))
  const second = Buffer.from(body)
  second.write('c', 110)
  const archive = Buffer.concat([body, second, plan[2]?.head ?? body])
  await fails('CPIO_LINK', /entry "c": has content, as another hard link/, () => readCpioTree(chunked(archive)))
})

test('random damage gives a record list or a ZosError, nothing else', async () => {
  const archive = await archiveOf(sampleRecords(blobs).filter((one) => one.path !== '/usr/bin/big'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(archive.length),
      fc.integer({ min: 1, max: 5000 }),
      async (changes, length, chunk) => {
        const damaged = Buffer.from(archive)
        for (const [at, byte] of changes) damaged[at] = byte
        try {
          await readCpioTree(chunked(length % 3 === 0 ? damaged.subarray(0, length) : damaged, chunk))
        } catch (error) {
          assert.match((error as { code?: string }).code ?? String(error), /^CPIO_/)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('an early stop closes the source', async () => {
  let closed = false
  const archive = await archiveOf(sampleRecords(blobs))
  async function* source() {
    try {
      yield* chunked(archive, 100)
    } finally {
      closed = true
    }
  }
  for await (const { name } of readCpio(source())) if (name === 'home') break
  assert.ok(closed)
})

test.run()
