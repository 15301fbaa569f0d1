import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { GitObject, TreeEntry } from './git-parse.js'

const sha1 = (data: Uint8Array): Buffer => createHash('sha1').update(data).digest()
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

const adler32 = (data: Uint8Array): number => {
  let low = 1
  let high = 0
  for (let at = 0; at < data.length; ) {
    // 3800 bytes at most before a sum could pass 2^32.
    for (const end = Math.min(at + 3800, data.length); at < end; at++) {
      low += data[at] as number
      high += low
    }
    low %= 65_521
    high %= 65_521
  }
  return high * 65_536 + low
}

/** A zlib stream (RFC 1950) of stored blocks: its bytes do not depend on any encoder. */
export const storedZlib = (data: Uint8Array): Buffer => {
  const parts: Uint8Array[] = [Buffer.from([0x78, 0x01])]
  for (let at = 0; at === 0 || at < data.length; at += 65_535) {
    const block = data.subarray(at, at + 65_535)
    const head = Buffer.alloc(5)
    head[0] = at + 65_535 >= data.length ? 1 : 0
    head.writeUInt16LE(block.length, 1)
    head.writeUInt16LE(~block.length & 0xffff, 3)
    parts.push(head, block)
  }
  return Buffer.concat([...parts, uint32(adler32(data))])
}

const typeNumbers = { commit: 1, tree: 2, blob: 3, tag: 4 } as const

const entryHead = (type: GitObject['type'], size: number): Buffer => {
  const bytes: number[] = []
  let byte = (typeNumbers[type] << 4) | (size & 15)
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80)
    byte = rest & 0x7f
  }
  return Buffer.from([...bytes, byte])
}

/** A pack and its index, version 2 (gitformat-pack(5)); `objects` are sorted by name and each is there once. */
const makePack = (objects: readonly GitObject[]): { pack: Buffer; index: Buffer } => {
  const parts: Buffer[] = [Buffer.from('PACK'), uint32(2), uint32(objects.length)]
  const offsets: Buffer[] = []
  const checks: Buffer[] = []
  let offset = 12
  for (const { type, data } of objects) {
    const entry = Buffer.concat([entryHead(type, data.length), storedZlib(data)])
    offsets.push(uint32(offset))
    checks.push(uint32(crc32(entry)))
    parts.push(entry)
    offset += entry.length
  }
  if (offset > 0x7fff_ffff) throw new RangeError('the history is larger than 2 GiB')
  const body = Buffer.concat(parts)
  const pack = Buffer.concat([body, sha1(body)])
  const names = objects.map(({ oid }) => Buffer.from(oid, 'hex'))
  const fanout: Buffer[] = []
  for (let first = 0, count = 0; first < 256; first++) {
    while (count < names.length && (names[count]?.[0] as number) <= first) count++
    fanout.push(uint32(count))
  }
  const table = Buffer.concat([
    Buffer.from([0xff, 0x74, 0x4f, 0x63]),
    uint32(2),
    ...fanout,
    ...names,
    ...checks,
    ...offsets,
    pack.subarray(-20),
  ])
  return { pack, index: Buffer.concat([table, sha1(table)]) }
}

/** The index file, version 2 (gitformat-index(5)), with no file times: git compares contents on first use. */
const makeIndex = (entries: readonly TreeEntry[]): Buffer => {
  const paths = entries.map((entry) => ({ ...entry, name: Buffer.from(entry.path) }))
  paths.sort((a, b) => Buffer.compare(a.name, b.name))
  const parts = [Buffer.from('DIRC'), uint32(2), uint32(paths.length)]
  for (const { mode, oid, name } of paths) {
    const entry = Buffer.alloc(Math.ceil((62 + name.length + 1) / 8) * 8)
    entry.writeUInt32BE(Number.parseInt(mode, 8), 24)
    Buffer.from(oid, 'hex').copy(entry, 40)
    entry.writeUInt16BE(Math.min(name.length, 0xfff), 60)
    name.copy(entry, 62)
    parts.push(entry)
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([body, sha1(body)])
}

export interface SnapshotContent {
  readonly commit: string
  /** Commits of the history, tags, and the commit's own trees; in any order. */
  readonly objects: readonly GitObject[]
  /** Object names by tag name. */
  readonly tags: Readonly<Record<string, string>>
  /** Commits whose parents are not there. */
  readonly shallow: readonly string[]
  /** All files of the commit. */
  readonly files: readonly TreeEntry[]
}

/** The files of a `.git` folder by path below it; the same bytes on every machine. */
export const snapshotFiles = ({ commit, objects, tags, shallow, files }: SnapshotContent): Map<string, Buffer> => {
  const byName = new Map(objects.map((object) => [object.oid, object]))
  const sorted = [...byName.values()].sort((a, b) => (a.oid < b.oid ? -1 : 1))
  const { pack, index } = makePack(sorted)
  const name = pack.subarray(-20).toString('hex')
  const result = new Map<string, Buffer>([
    ['HEAD', Buffer.from(`${commit}\n`)],
    ['config', Buffer.from('[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n')],
    ['index', makeIndex(files)],
    [`objects/pack/pack-${name}.idx`, index],
    [`objects/pack/pack-${name}.pack`, pack],
    // git takes a folder for a repository only when there is `refs`.
    ['refs/zos/pin', Buffer.from(`${commit}\n`)],
  ])
  for (const tag of Object.keys(tags).sort()) result.set(`refs/tags/${tag}`, Buffer.from(`${tags[tag]}\n`))
  if (shallow.length > 0)
    result.set(
      'shallow',
      Buffer.from(
        [...shallow]
          .sort()
          .map((line) => `${line}\n`)
          .join(''),
      ),
    )
  return result
}
