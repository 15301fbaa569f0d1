// The root file system as an initramfs: one newc archive; with xz one stream of blocks that are remembered.
import { createHash } from 'node:crypto'
import type { PackContext } from '../context.js'
import { ZosError } from '../error.js'
import { type ArchivePiece, writePieces } from '../format/archive-piece.js'
import { cpioPlan } from '../format/cpio.js'
import { hashed } from '../format/hashed.js'
import { InFlight } from '../format/in-flight.js'
import { freeing } from '../io/heap.js'
import { digestOf, sha256 } from '../model/canonical.js'
import type { Blob, TreeRecord } from '../model/entry.js'
import type { OutputSpec, Packed } from '../model/output.js'
import { type Block, blocksOf, defaultSizes, groupsOf } from './initramfs-blocks.js'

export interface InitramfsSpec {
  readonly compression: 'xz' | 'zstd' | 'gzip' | 'none'
  readonly level: number
  /** Plugin ids in the order of the archive. */
  readonly order: readonly string[]
}

const defaultLevels = { xz: 6, zstd: 19, gzip: 9, none: 0 } as const
export const extensions = { xz: '.xz', zstd: '.zst', gzip: '.gz', none: '' } as const
export const levelOf = (compression: InitramfsSpec['compression'], level: number | undefined): number =>
  level ?? defaultLevels[compression]

interface RememberedBlock {
  readonly blob: Blob
  readonly unpaddedSize: number
  readonly uncompressedSize: number
}

/** Blocks that are compressed at once: each takes some 72 MB at level 6, whatever its size, and its compressed bytes. */
const atOnce = { tasks: 2, cost: Number.POSITIVE_INFINITY }

/**
 * Most bytes of a dictionary. It takes twelve times as much memory: levels up to 6 have a little less than xz's own 8 MiB, so that
 * two blocks fit into the memory that a build may take. What is larger than a block is of no use to the higher ones.
 */
const largestDictionary = (preset: number): number => (preset <= 6 ? 6 << 20 : defaultSizes.most)

/** Bytes of the dictionary that a level of xz gets in an initramfs. */
export const dictionaryOf = async (preset: number): Promise<number> => {
  const { presetDictionary } = await import('../format/xz-encode.js')
  return Math.min(presetDictionary(preset), largestDictionary(preset))
}

const blockDigest = ({ pieces }: Block): string =>
  digestOf(pieces.map(({ head, blob, padding }) => [sha256(head), blob?.sha256 ?? '', padding]))

const sizeOf = ({ pieces }: Block): number => pieces.reduce((sum, { size }) => sum + size, 0)

/** Compresses a block, or takes the remembered one. What was compressed is decompressed again and compared. */
const compressBlock = async (
  block: Block,
  preset: number,
  ctx: PackContext,
  onFresh: () => void,
): Promise<RememberedBlock> => {
  const { encodeXzBlock, xzIdentity } = await import('../format/xz-encode.js')
  const dictSize = await dictionaryOf(preset)
  const input = { codec: xzIdentity(), preset, dictSize, block: blockDigest(block) }
  const artifact = await ctx.remember('xz-block-2', input, async () => {
    onFresh()
    // The plain block is never in memory as a whole: the encoder holds it once already.
    const size = sizeOf(block)
    const written = createHash('sha256')
    const encoded = await encodeXzBlock(
      { size, chunks: freeing(hashed(writePieces(block.pieces, ctx.blobs), written)) },
      { preset, dictSize },
    )
    await compare(encoded, written.digest('hex'), block)
    const blob = await ctx.blobs.put(encoded.bytes)
    return {
      files: { block: blob },
      facts: { unpaddedSize: encoded.unpaddedSize, uncompressedSize: encoded.uncompressedSize },
    }
  })
  const { unpaddedSize, uncompressedSize } = artifact.facts as unknown as RememberedBlock
  return { blob: artifact.files!.block!, unpaddedSize, uncompressedSize }
}

const compare = async (
  encoded: { bytes: Uint8Array; unpaddedSize: number; uncompressedSize: number },
  digest: string,
  { group }: Block,
): Promise<void> => {
  const { xzHeader, xzTail } = await import('../format/xz.js')
  const { decompress } = await import('../format/decompress.js')
  const stream = async function* () {
    yield xzHeader()
    yield encoded.bytes
    yield xzTail([encoded])
  }
  const read = createHash('sha256')
  for await (const chunk of decompress(stream(), 'xz', { outputBytes: encoded.uncompressedSize })) read.update(chunk)
  if (read.digest('hex') === digest) return
  throw new ZosError(
    'INITRAMFS_COMPARE',
    `a block of ${encoded.uncompressedSize} bytes of ${group} reads back differently from xz`,
    { hint: 'check this machine’s memory and disk' },
  )
}

const packXz = async (blocks: readonly Block[], preset: number, ctx: PackContext): Promise<Blob> => {
  const { xzHeader, xzTail } = await import('../format/xz.js')
  const done: RememberedBlock[] = new Array(blocks.length)
  const fresh: string[] = []
  let finished = 0
  const work = new InFlight(atOnce)
  try {
    for (const [index, block] of blocks.entries())
      await work.add(sizeOf(block), async () => {
        done[index] = await compressBlock(block, preset, ctx, () => fresh.push(block.group))
        ctx.progress(`xz ${block.group}`, ++finished, blocks.length)
      })
    await work.done()
  } finally {
    await work.settle()
  }
  ctx.explain(
    `${fresh.length} of ${blocks.length} blocks${fresh.length > 0 ? `: ${[...new Set(fresh)].join(', ')}` : ''}`,
  )
  return ctx.blobs.put(
    (async function* () {
      yield xzHeader()
      for (const { blob } of done) yield* ctx.blobs.stream(blob)
      yield xzTail(done)
    })(),
  )
}

const bytesOf = (count: number): string =>
  count < 10 << 20 ? `${(count / (1 << 20)).toFixed(1)} MB` : `${Math.round(count / (1 << 20))} MB`

/** Packs the whole tree. xattrs and files of 4 GiB are errors, since newc cannot hold them. */
export const packInitramfs = async (output: OutputSpec, ctx: PackContext): Promise<Packed> => {
  const { compression, level, order } = output.options as unknown as InitramfsSpec
  const records: readonly TreeRecord[] = [...ctx.root.all().records()]
  const groups = groupsOf(records, order)
  const groupOf = new Map(
    groups.flatMap(({ name, records: list }) => list.map((record): [string, string] => [record.path, name])),
  )
  const pieces = cpioPlan(
    groups.flatMap((group) => group.records),
    { epoch: ctx.epoch },
  )
  const last = groups.at(-1)?.name ?? 'directories'
  const plain = pieces.reduce((sum, { size }) => sum + size, 0)
  const note = `${records.length} files, ${bytesOf(plain)} unpacked`
  if (compression === 'xz') {
    const blocks = blocksOf(pieces, (path) => groupOf.get(path) ?? last, defaultSizes)
    const blob = await packXz(blocks, level, ctx)
    return { blob, note: `${note}, ${blocks.length} blocks`, facts: { blocks: blocks.length, plain, compression } }
  }
  const blob = await packStream(compression, level, pieces, plain, ctx)
  return { blob, note, facts: { plain, compression } }
}

const suffixes = { zstd: 'zst', gzip: 'gz' } as const

/** One compressed stream, or the plain archive. What was compressed is decompressed again and compared. */
const packStream = async (
  kind: 'zstd' | 'gzip' | 'none',
  level: number,
  pieces: readonly ArchivePiece[],
  size: number,
  ctx: PackContext,
): Promise<Blob> => {
  if (kind === 'none') return ctx.blobs.put(writePieces(pieces, ctx.blobs))
  const { compress } = await import('../format/compress.js')
  const { decompress } = await import('../format/decompress.js')
  const written = createHash('sha256')
  const blob = await ctx.blobs.put(compress({ kind, level }, hashed(writePieces(pieces, ctx.blobs), written)))
  const read = createHash('sha256')
  for await (const chunk of decompress(ctx.blobs.stream(blob), suffixes[kind], { outputBytes: size }))
    read.update(chunk)
  if (read.digest('hex') === written.digest('hex')) return blob
  throw new ZosError('INITRAMFS_COMPARE', `the archive of ${size} bytes reads back differently from ${kind}`, {
    hint: 'check this machine’s memory and disk',
  })
}
