// The initramfs: read back by our own reader, judged by xz, zstd, gzip and cpio, compressed in blocks that are remembered.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type InitramfsSpec, packInitramfs } from '../dist/builtin/initramfs.js'
import type { PackContext } from '../dist/context.js'
import { isZosError } from '../dist/error.js'
import { readCpioTree } from '../dist/format/cpio-read.js'
import { decompress } from '../dist/format/decompress.js'
import type { Artifact } from '../dist/model/artifact.js'
import { digestOf, type Json } from '../dist/model/canonical.js'
import type { TreeRecord } from '../dist/model/entry.js'
import type { Packed } from '../dist/model/output.js'
import { FileTree } from '../dist/model/tree.js'
import { hasTool, MemoryBlobs, sampleRecords } from './archive-fixtures.js'

const epoch = 1_700_000_000

/** Packs with a memory of its own; says what the run said. */
class Bench {
  readonly blobs = new MemoryBlobs()
  readonly #memory = new Map<string, Promise<Artifact>>()
  computed = 0

  async pack(
    tree: FileTree,
    options: Partial<InitramfsSpec> = {},
  ): Promise<{ packed: Packed; bytes: Buffer; said: string }> {
    const said: string[] = []
    const spec: InitramfsSpec = { compression: 'xz', level: 0, order: ['a', 'b', 'c'], ...options }
    const ctx = {
      epoch,
      blobs: this.blobs,
      root: { all: () => tree },
      progress: () => undefined,
      explain: (text: string) => said.push(text),
      remember: (name: string, input: Json, compute: () => Promise<Artifact>) => {
        const key = digestOf([name, input])
        const known = this.#memory.get(key)
        if (known) return known
        this.computed++
        const made = compute()
        this.#memory.set(key, made)
        return made
      },
    } as unknown as PackContext
    const packed = await packInitramfs(
      { name: 'initramfs', format: 'initramfs', options: spec as unknown as Json },
      ctx,
    )
    return { packed, bytes: Buffer.from(await this.blobs.read(packed.blob)), said: said.join() }
  }
}

const by = (plugin: string, record: TreeRecord): TreeRecord => ({ ...record, origin: { plugin } })

/** Real programs and libraries of this machine, up to so many bytes. */
const realFiles = (blobs: MemoryBlobs, plugin: string, folder: string, at: string, most: number): TreeRecord[] => {
  const records: TreeRecord[] = []
  let total = 0
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found?.isFile() || found.size > most / 2 || total + found.size > most) continue
    total += found.size
    const blob = blobs.add(readFileSync(path))
    records.push(by(plugin, { path: `${at}/${name}`, kind: 'file', mode: 0o755, uid: 0, gid: 0, blob }))
  }
  return records
}

const sampleTree = (blobs: MemoryBlobs): FileTree =>
  FileTree.from([
    ...sampleRecords(blobs).map((record) => by('a', record)),
    ...realFiles(blobs, 'b', '/usr/bin', '/opt/b', 1 << 20),
    by('c', { path: '/opt/c/unit', kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: blobs.add('unit') }),
  ])

/** As records compare that come from an archive: without origins, by path. */
const plain = (records: Iterable<TreeRecord>): TreeRecord[] =>
  [...FileTree.from(records).records()].map(({ origin: _, ...record }) => record as TreeRecord)

const suffixes = { xz: 'xz', zstd: 'zst', gzip: 'gz' } as const

const readBack = async (bytes: Buffer, kind: InitramfsSpec['compression']): Promise<TreeRecord[]> => {
  const chunks = async function* () {
    yield bytes
  }
  return plain(
    await readCpioTree(kind === 'none' ? chunks() : decompress(chunks(), suffixes[kind], { outputBytes: 1 << 30 })),
  )
}

const judge = (file: string, args: string[], input: Buffer): Buffer => {
  const { status, stdout, stderr } = spawnSync(file, args, { input, maxBuffer: 1 << 30 })
  assert.is(status, 0, `${file}: ${stderr}`)
  assert.is(stderr.toString(), '')
  return stdout
}

const tools = { xz: 'xz', zstd: 'zstd', gzip: 'gzip', none: undefined } as const

for (const [compression, tool] of Object.entries(tools) as [InitramfsSpec['compression'], string | undefined][]) {
  const missing = tool !== undefined && !hasTool(tool) ? tool : hasTool('cpio') ? undefined : 'cpio'
  if (missing) console.log(`skip initramfs ${compression}: no ${missing}`)
  const judged = missing ? test.skip : test
  judged(`${compression}: reads back as the tree, and its tool and cpio agree`, async () => {
    const bench = new Bench()
    const tree = sampleTree(bench.blobs)
    const { packed, bytes } = await bench.pack(tree, { compression, level: compression === 'none' ? 0 : 1 })
    assert.equal(await readBack(bytes, compression), plain(tree.records()))
    if (tool) judge(tool, ['-t', '-q'], bytes)
    const archive = tool ? judge(tool, ['-d', '-c', '-q'], bytes) : bytes
    assert.is(archive.length, packed.facts?.plain)
    const names = judge('cpio', ['-t', '--quiet'], archive).toString().trim().split('\n')
    assert.equal(names.sort(), [...tree.records()].map(({ path }) => path.slice(1)).sort())
    // A directory comes before what is in it.
    const seen = new Set<string>()
    for (const name of judge('cpio', ['-t', '--quiet'], archive).toString().trim().split('\n')) {
      const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')))
      assert.ok(parent === '' || seen.has(parent), name)
      seen.add(name)
    }
    const again = new Bench()
    const second = await again.pack(sampleTree(again.blobs), { compression, level: compression === 'none' ? 0 : 1 })
    assert.ok(second.bytes.equals(bytes), 'equal trees give equal bytes')
  })
}

test('a changed file compresses its own block alone, and the run says whose', async () => {
  const bench = new Bench()
  const tree = sampleTree(bench.blobs)
  const first = await bench.pack(tree)
  const { blocks } = first.packed.facts as { blocks: number }
  assert.is(first.said, `${blocks} of ${blocks} blocks: directories, a, b, c`)
  assert.is((await bench.pack(tree)).said, `0 of ${blocks} blocks`)
  const edit = (path: string, content: string): FileTree =>
    FileTree.from(
      [...tree.records()].map((record) =>
        record.path === path && record.kind === 'file' ? { ...record, blob: bench.blobs.add(content) } : record,
      ),
    )
  const unit = await bench.pack(edit('/opt/c/unit', 'another unit'))
  assert.is(unit.said, `1 of ${blocks} blocks: c`)
  assert.equal(await readBack(unit.bytes, 'xz'), plain(edit('/opt/c/unit', 'another unit').records()))
  const [program] = [...tree.records('/opt/b')]
  assert.is((await bench.pack(edit(program!.path, 'x'))).said, `1 of ${blocks} blocks: b`)
  // Another preset is another encoder.
  assert.is((await bench.pack(tree, { level: 1 })).said, `${blocks} of ${blocks} blocks: directories, a, b, c`)
})

test('a large group is cut, and an edit in it compresses one block', async () => {
  const bench = new Bench()
  // Words that repeat, since the encoder is quick at them.
  const content = (seed: number): Buffer => Buffer.alloc(200_000, `module ${seed} `)
  const records = Array.from({ length: 120 }, (_, index) =>
    by('b', {
      path: `/lib/module-${String(index).padStart(3, '0')}`,
      kind: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      blob: bench.blobs.add(content(index)),
    }),
  )
  const first = await bench.pack(FileTree.from(records))
  const { blocks } = first.packed.facts as { blocks: number }
  assert.ok(blocks >= 3, `${blocks}`)
  const grown = records.map((record, index) =>
    index === 60 && record.kind === 'file'
      ? { ...record, blob: bench.blobs.add(content(7).subarray(0, 150_001)) }
      : record,
  )
  assert.is((await bench.pack(FileTree.from(grown))).said, `1 of ${blocks} blocks: b`)
})

test('an empty tree is an archive of nothing but its end', async () => {
  for (const compression of ['xz', 'zstd', 'gzip', 'none'] as const) {
    const { bytes } = await new Bench().pack(FileTree.empty, { compression, level: 1 })
    assert.equal(await readBack(bytes, compression), [])
  }
})

test('what newc cannot hold is an error that names the path', async () => {
  const bench = new Bench()
  const blob = bench.blobs.add('x')
  const file = { kind: 'file', mode: 0o755, uid: 0, gid: 0 } as const
  const failure = async (record: TreeRecord): Promise<string> => {
    try {
      await bench.pack(FileTree.from([record]))
    } catch (error) {
      if (isZosError(error)) return `${error.code} ${error.message}`
    }
    throw new Error('it was packed')
  }
  assert.match(
    await failure({
      path: '/usr/bin/ping',
      ...file,
      blob,
      xattrs: { 'security.capability': 'AQAAAgAgAAAAAAAAAAAAAAAAAAA=' },
    }),
    /^CPIO_\w+ .*\/usr\/bin\/ping.*security\.capability/s,
  )
  assert.match(await failure({ path: '/large', ...file, blob: { ...blob, size: 2 ** 32 } }), /^CPIO_\w+ .*\/large/s)
})

test.run()
