// zos flist verify: every block fetched and authenticated, in every store that a route names.
import { type CommandDefinition, ExitCode, isZosError } from '@zos/core'
import type { Block } from '../block.js'
import { BlockPool } from '../block-pool.js'
import { checkBlock, closeRoutes, openRoutes } from '../block-store.js'
import { blocksOf } from '../flist.js'
import { eachOf } from '../limit.js'
import { checkCoverage } from '../route.js'
import { jsonOption, loadFlist, openStore, progressLine, readLocations, storeOption, usage } from './open.js'

const atOnce = 16
/** Bad blocks that are shown; the rest is counted. */
const shown = 20

const command: CommandDefinition = {
  summary:
    'Fetches every block of a flist from every store that has to have it, and authenticates it: its id, its encryption and its content.',
  arguments: 'FILE…',
  options: { store: storeOption, json: jsonOption },
  examples: [
    'zos flist verify dist/flists/modules.fl',
    'zos flist verify -s dir://dist/blocks dist/flists/modules.fl dist/flists/firmware.fl',
  ],
  run: async (ctx) => {
    if (ctx.args.length === 0) throw usage('expected a flist', 'verify')
    const pool = new BlockPool()
    let bad = 0
    try {
      for (const file of ctx.args) {
        const start = performance.now()
        const flist = await loadFlist(ctx, file)
        const blocks = blocksOf(flist)
        const routes = readLocations(ctx, flist, file)
        checkCoverage(routes, file)
        const failures: { block: Block; message: string }[] = []
        const progress = progressLine(ctx)
        const opened = await openRoutes(routes, openStore(ctx))
        let done = 0
        try {
          await eachOf(blocks, atOnce, async (block) => {
            await checkBlock(opened, block, pool).catch((error: unknown) => {
              if (!isZosError(error) || error.code !== 'FLIST_BLOCK') throw error
              failures.push({ block, message: error.message })
            })
            done++
            progress.say(() => `${file}: ${done} of ${blocks.length} blocks`)
          })
        } finally {
          progress.clear()
          closeRoutes(opened)
        }
        bad += failures.length
        const seconds = (performance.now() - start) / 1000
        if (ctx.json)
          ctx.out(
            `${JSON.stringify({ event: 'verified', flist: file, blocks: blocks.length, bad: failures.map(({ block }) => block.id), seconds })}\n`,
          )
        else {
          for (const { message } of failures.slice(0, shown)) ctx.out(`${file}: ${message}\n`)
          if (failures.length > shown) ctx.out(`${file}: and ${failures.length - shown} more\n`)
          const verdict =
            failures.length === 0
              ? 'all blocks are there and authentic'
              : `${failures.length} blocks cannot be had or are damaged`
          ctx.out(
            `${file}: ${flist.entries.length} entries, ${blocks.length} blocks: ${verdict}, ${seconds.toFixed(1)} s\n`,
          )
          if (failures.length > 1 && failures.length === blocks.length)
            ctx.err(
              '  hint: not one is there: is the flist published (zos publish)? where blocks lie elsewhere: -s URL\n',
            )
        }
      }
    } finally {
      await pool.close()
    }
    return bad === 0 ? ExitCode.ok : ExitCode.build
  },
}
export default command
