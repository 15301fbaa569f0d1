import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { DeltaBuilder } from '../dist/model/delta.js'
import { decodeDelta, encodeDelta } from '../dist/model/delta-codec.js'
import { FileTree } from '../dist/model/tree.js'
import { blob, directory, file, mergedUsr, symlink, throwsWith } from './tree-samples.js'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const link = { link: '/usr/bin/a' }
const tree = FileTree.from([
  ...mergedUsr,
  directory('/', { mode: 0o700 }),
  file('/usr/bin/a', 'x', { ...link, origin: { plugin: 'debian', package: 'a', source: 'bookworm' } }),
  file('/usr/bin/b', 'x', { ...link, origin: { plugin: 'debian', package: 'b' } }),
  file('/etc/line\nbreak "quoted" ä 𝒳', 'y', {
    xattrs: { 'user.b': 'AQ==', 'user.a': '', 'security.__proto__': 'AA==' },
  }),
  symlink('/etc/l', 'ä\n"'),
  { path: '/dev/null', kind: 'character', mode: 0o666, uid: 0, gid: 5, major: 1, minor: 3 },
  { path: '/dev/loop0', kind: 'block', mode: 0o600, uid: 0, gid: 6, major: 7, minor: 0, origin: { plugin: 'p' } },
  { path: '/run/fifo', kind: 'fifo', mode: 0o600, uid: 1, gid: 1 },
])
const delta = new DeltaBuilder({ over: ['zsh', 'bash'] })
  .file('/a', 'text', { package: 'p', source: 's', xattrs: { 'user.a': 'AA==' } })
  .directory('/d', { mode: 0o700 })
  .tree(tree, '/opt')
  .symlink('/l', 'a')
  .device('/c', 'character', 5, 1)
  .replace('/a', blob('other'), { uid: 1 })
  .set('/a', { xattrs: {} })
  .tree(FileTree.empty)
  .remove('/d', { missing: 'ok' })
  .remove('/l')
  .build()

test('a tree comes back as it was, origins and hard links too', () => {
  const again = FileTree.decode(tree.encode())
  assert.equal([...again.records()], [...tree.records()])
  assert.equal(again.get('/'), tree.get('/'))
  assert.is(again.digest, tree.digest)
  assert.is(text(again.encode()), text(tree.encode()))
  assert.is(FileTree.decode(FileTree.empty.encode()).count, 0)
})

test('equal trees give equal bytes, however they were made', () => {
  const shuffled = FileTree.from([
    directory('/', { mode: 0o700 }),
    ...[...tree.records()].reverse().sort((a) => (a.kind === 'symlink' ? 1 : -1)),
  ])
  assert.is(text(shuffled.encode()), text(tree.encode()))
})

const lines = text(tree.encode()).split('\n')
const change = (number: number, from: string, to: string): Buffer => {
  assert.ok(lines[number - 1]?.includes(from), `line ${number} has no ${from}: ${lines[number - 1]}`)
  return Buffer.from(lines.map((line, i) => (i === number - 1 ? line.replace(from, to) : line)).join('\n'))
}
const at = (name: string) => lines.findIndex((line) => /^\[\d+,"(.*?)"/.exec(line)?.[1] === name) + 1
const hash = blob('x').sha256
const damage: [string, Buffer, string][] = [
  ['nothing', Buffer.from(''), 'JSON'],
  ['no header', Buffer.from('[]\n'), 'format'],
  ['another format', change(1, 'zos-tree/1', 'zos-tree/2'), 'zos-tree/2'],
  ['another count', change(1, '"records":16', '"records":17'), '16'],
  ['a cut last line', Buffer.from(tree.encode()).subarray(0, -1), 'cut'],
  ['a missing line', Buffer.from(lines.slice(0, -2).concat('').join('\n')), 'records'],
  ['no UTF-8', Buffer.concat([tree.encode(), Buffer.from([0xff, 10])]), 'UTF-8'],
  ['no JSON', change(at('null'), ']', ''), 'JSON'],
  ['no root', change(2, '[0,', '[1,'), 'root'],
  ['a jump in depth', change(at('null'), '[2,', '[4,'), 'depth'],
  ['a record below a link', change(at('usr'), '[1,', '[3,'), 'depth'],
  ['a name that climbs', change(at('null'), '"null"', '".."'), '..'],
  ['a name with a slash', change(at('null'), '"null"', '"n/l"'), 'no name'],
  ['names out of order', change(at('null'), '"null"', '"a"'), 'out of order'],
  ['a name twice', change(at('null'), '"null"', '"loop0"'), 'twice'],
  ['a wrong mode', change(at('null'), '438', '43800'), 'mode'],
  ['a wrong kind', change(at('null'), '"c"', '"x"'), 'kind'],
  ['a kind from the prototype', change(at('null'), '"c"', '"constructor"'), 'kind'],
  ['a missing field', change(at('null'), ',1,3]', ',1]'), 'fields'],
  ['an unknown origin', change(at('null'), '-1', '99'), 'origin'],
  ['a wrong digest', change(at('a'), hash, hash.slice(1)), 'SHA-256'],
  ['a hard link alone', change(at('a'), ',1,1]', ',1,0]'), 'partner'],
  ['unlike hard links', change(at('b'), hash, blob('z').sha256), 'hard link'],
  ['an origin without a plugin', change(1, '"p",null', '"",null'), 'origin'],
]
for (const [name, bytes, word] of damage) {
  test(`damage is found: ${name}`, () => {
    throwsWith(() => FileTree.decode(bytes), 'TREE_DECODE', 'damaged', word)
  })
}

test('a delta comes back as it was, without its contents', () => {
  const bytes = encodeDelta(delta)
  const again = decodeDelta(bytes)
  assert.is(text(encodeDelta(again)), text(bytes))
  assert.equal(again.over, ['bash', 'zsh'])
  assert.is(again.contents.size, 0)
  const by = { plugin: 'p' }
  assert.is(text(FileTree.empty.apply(again, by).encode()), text(FileTree.empty.apply(delta, by).encode()))
  assert.is(decodeDelta(encodeDelta(new DeltaBuilder({ over: 'any' }).build())).over, 'any')
})

test('a damaged delta is found', () => {
  const whole = text(encodeDelta(delta))
  const cases: [string, string, string][] = [
    ['zos-delta/1', 'zos-delta/2', 'format'],
    ['"ops":10', '"ops":9', 'follow'],
    ['"ops":10', '"ops":11', 'cut'],
    ['"over":["bash","zsh"]', '"over":7', 'over'],
    ['"op":"remove"', '"op":"explode"', 'explode'],
    ['"path":"/l"', '"path":"l"', 'absolute'],
    [`{"sha256":"${blob('other').sha256}","size":5}`, '"content"', 'blob'],
    ['"mode":420,', '', 'expected'],
    ['"bytes":', '"bytes":9', 'bytes'],
    ['zos-tree/1', 'zos-tree/0', 'zos-tree/0'],
  ]
  for (const [from, to, word] of cases) {
    assert.ok(whole.includes(from), from)
    throwsWith(() => decodeDelta(Buffer.from(whole.replace(from, to))), 'DELTA_DECODE', word)
  }
  throwsWith(() => decodeDelta(new Uint8Array()), 'DELTA_DECODE', 'cut')
})

test('whatever byte is changed or cut, decoding gives a value or its own error', () => {
  const codecs: [Uint8Array, (bytes: Uint8Array) => unknown, string][] = [
    [tree.encode(), (bytes) => FileTree.decode(bytes).encode(), 'TREE_DECODE'],
    [encodeDelta(delta), (bytes) => encodeDelta(decodeDelta(bytes)), 'DELTA_DECODE'],
  ]
  for (const [bytes, decode, code] of codecs) {
    const spot = fc.nat({ max: bytes.length - 1 })
    fc.assert(
      fc.property(spot, fc.nat({ max: 255 }), fc.boolean(), (where, byte, cut) => {
        const damaged = Buffer.from(bytes)
        damaged[where] = byte
        try {
          decode(cut ? damaged.subarray(0, where) : damaged)
        } catch (error) {
          assert.ok(isZosError(error), String(error))
          assert.is(error.code, code)
        }
      }),
      { numRuns: 1000 },
    )
  }
})

test.run()
