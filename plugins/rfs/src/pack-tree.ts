// A tree of the build packed into a flist. What was sealed is remembered by the digest of the content.
import {
  type Artifact,
  type Blob,
  type FileTree,
  type Json,
  type TapContext,
  type TreeRecord,
  ZosError,
} from '@zos/core'
import { type Block, sealVersion } from './block.js'
import { BlockPool } from './block-pool.js'
import { sealContent } from './cut.js'
import { entryOf } from './entries.js'
import type { FlistEntry, Route } from './flist.js'
import { sqliteVersion, writeFlist } from './flist-write.js'

export interface PackTreeInput {
  readonly tree: FileTree
  readonly routes: readonly Route[]
  readonly tags: Readonly<Record<string, string>>
}

/** Slot of the flist itself, and what the slots of its blocks begin with: the id follows. */
export const flistSlot = 'flist'
export const blockSlot = 'block/'

/** Files that are read at the same time. */
const filesAtOnce = 8

/** Gives an artifact with the flist and all its blocks. */
export const packTree = async (ctx: TapContext, { tree, routes, tags }: PackTreeInput): Promise<Artifact> => {
  const records = [...tree.records()]
  const files = new Map<string, Blob>()
  for (const record of records) if (record.kind === 'file') files.set(record.blob.sha256, record.blob)
  const sealed = await sealFiles(ctx, [...files.values()])
  const root: FlistEntry = entryOf({ path: '/', kind: 'directory', mode: 0o755, uid: 0, gid: 0 }, ctx.epoch, [])
  const blocksOf = (record: TreeRecord): readonly Block[] =>
    record.kind === 'file' ? sealed.get(record.blob.sha256)!.blocks : []
  const entries = [root, ...records.map((record) => entryOf(record, ctx.epoch, blocksOf(record)))]
  const { files: written } = await ctx.remember(
    'flist-1',
    {
      tree: tree.digest,
      routes,
      tags,
      epoch: ctx.epoch,
      seal: sealVersion,
      sqlite: sqliteVersion(),
    } as unknown as Json,
    async () => ({
      files: { [flistSlot]: await ctx.blobs.put(writeFlist({ entries, routes, tags: new Map(Object.entries(tags)) })) },
    }),
  )
  const blocks: Record<string, Blob> = {}
  for (const one of sealed.values()) for (const [id, blob] of one.blobs) blocks[`${blockSlot}${id}`] = blob
  const size = [...files.values()].reduce((sum, blob) => sum + blob.size, 0)
  return {
    files: { ...written, ...blocks },
    facts: { entries: entries.length, files: files.size, size, blocks: Object.keys(blocks).length },
  }
}

interface SealedFile {
  readonly blocks: readonly Block[]
  readonly blobs: readonly (readonly [id: string, blob: Blob])[]
}

const sealFiles = async (ctx: TapContext, files: readonly Blob[]): Promise<Map<string, SealedFile>> => {
  const pool = new BlockPool()
  const sealed = new Map<string, SealedFile>()
  const total = files.reduce((sum, { size }) => sum + size, 0)
  let [next, done, fresh] = [0, 0, 0]
  const work = async (): Promise<void> => {
    for (let at = next++; at < files.length; at = next++) {
      const file = files[at]!
      sealed.set(
        file.sha256,
        await sealFile(ctx, file, pool, () => {
          fresh++
        }),
      )
      done += file.size
      ctx.progress('sealing blocks', done, total)
    }
  }
  try {
    // All end before a failure is told, so that nothing works on with a closed pool.
    const ends = await Promise.allSettled(Array.from({ length: filesAtOnce }, work))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
  } finally {
    await pool.close()
  }
  ctx.explain(`${fresh} of ${files.length} files sealed anew`)
  return sealed
}

const sealFile = async (ctx: TapContext, file: Blob, pool: BlockPool, onFresh: () => void): Promise<SealedFile> => {
  const { sha256 } = file
  const { files = {}, facts } = await ctx.remember('blocks-1', { sha256, seal: sealVersion }, async () => {
    onFresh()
    const kept: Record<string, Blob> = {}
    const blocks = await sealContent(ctx.blobs.stream(file), pool, async ({ id }, bytes) => {
      kept[id] = await ctx.blobs.put(bytes)
    })
    return { files: kept, facts: { blocks: blocks.map(({ id, key }) => ({ id, key })) } }
  })
  const blocks = facts?.blocks as unknown as readonly Block[]
  if (blocks === undefined) throw new ZosError('FLIST_MEMORY', `what was remembered of ${sha256} has no blocks`)
  return { blocks, blobs: Object.entries(files) }
}
