// Sends the blocks of a build's flists to their stores and checks that nodes can read them, before any flist is published.
import { type Artifact, type Blob, type PublishContext, type Receipt, shownObjectUrl, ZosError } from '@zos/core'
import type { Block } from './block.js'
import { BlockPool } from './block-pool.js'
import { closeRoutes, type OpenRoute, openRoutes, putBlock, type RoutedLocation } from './block-store.js'
import { blocksOf, type Route } from './flist.js'
import { readFlist } from './flist-read.js'
import { eachOf } from './limit.js'
import type { RfsOptions } from './options.js'
import { blockSlot } from './pack-tree.js'
import { checkRoutes } from './route-check.js'
import { plannedStores, readableLocation, writableStores } from './stores.js'

/** Blocks that are on their way to the stores at the same time. */
const atOnce = 16

/** Publishes the blocks of every flist among the outputs. `artifactOf` gives a flist's artifact by the output's name. */
export const publishBlocks = async (
  ctx: PublishContext,
  { store }: RfsOptions,
  artifactOf: (output: string) => Promise<Artifact | undefined>,
): Promise<readonly Receipt[]> => {
  const planned = plannedStores(store)
  if (planned.length === 0) return []
  const flists: { name: string; blob: Blob; artifact: Artifact; routes: readonly Route[]; blocks: readonly Block[] }[] =
    []
  for (const { name, blob } of ctx.outputs) {
    const artifact = await artifactOf(name)
    if (!artifact) continue
    const flist = readFlist(await ctx.blobs.read(blob), name)
    if (flist.routes.length !== planned.length)
      throw new ZosError('FLIST_NO_ROUTE', `${name} names no store, so no node could read it`, {
        hint: 'set what the warning of the build names (config/rfs.conf.example has every key), and build again',
      })
    flists.push({ name, blob, artifact, routes: flist.routes, blocks: blocksOf(flist) })
  }
  const written = await writableStores(ctx, store)
  const wanted = flists.reduce((sum, { blocks }) => sum + blocks.length, 0)
  const opened = await openRoutes(written, (location) => ctx.objects(location), wanted)
  const pool = new BlockPool()
  try {
    const receipts: Receipt[] = []
    const handled = new Set<string>()
    for (const { name, blob, artifact, routes, blocks } of flists) {
      await sendBlocks(
        ctx,
        opened,
        name,
        blocks.filter(({ id }) => !handled.has(id)),
        artifact,
      )
      for (const { id } of blocks) handled.add(id)
      const read: RoutedLocation[] = routes.map((route, at) => ({
        start: route.start,
        end: route.end,
        location: readableLocation(route, planned[at]!),
      }))
      await checkRoutes(read, written, blocks, (location) => ctx.objects(location), pool)
      for (const { location } of written)
        receipts.push({
          output: `${name} (${blocks.length} blocks)`,
          url: shownObjectUrl(location),
          sha256: blob.sha256,
        })
    }
    return receipts
  } finally {
    closeRoutes(opened)
    await pool.close()
  }
}

const sendBlocks = async (
  ctx: PublishContext,
  routes: readonly OpenRoute[],
  name: string,
  blocks: readonly Block[],
  { files = {} }: Artifact,
): Promise<void> => {
  let [done, sent] = [0, 0]
  await eachOf(blocks, atOnce, async (block) => {
    ctx.signal.throwIfAborted()
    const blob = files[`${blockSlot}${block.id}`]
    if (!blob)
      throw new ZosError('FLIST_BLOCK', `${name} names block ${block.id}, which its build did not make`, {
        hint: 'zos build --force-rebuild',
      })
    sent += await putBlock(routes, block, () => ctx.blobs.read(blob), blob.size)
    done++
    ctx.progress(`${name}: blocks, ${sent} sent`, done, blocks.length)
  })
}
