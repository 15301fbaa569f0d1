// zos flist stores: shows the routes of a flist, or puts others in their place.
import { type CommandDefinition, ExitCode } from '@zos/core'
import { BlockPool } from '../block-pool.js'
import { isReadHere, locationsOf } from '../block-store.js'
import { blocksOf } from '../flist.js'
import { writeFlist } from '../flist-write.js'
import { checkCoverage, checkReadable, shownRoute } from '../route.js'
import { checkRoutes } from '../route-check.js'
import { jsonOption, list, loadFlist, openStore, pathOf, routesOf, usage } from './open.js'

const command: CommandDefinition = {
  summary:
    'Shows the stores of a flist, or puts others in their place; blocks of each range are fetched and authenticated first. Keys are masked.',
  arguments: 'FILE',
  options: {
    set: {
      type: 'string',
      multiple: true,
      value: '[xx-xx=]URL',
      help: 'a store that takes the place of all that are there, with keys that may only read',
    },
    unchecked: { type: 'boolean', help: 'do not fetch blocks from the new stores first' },
    json: jsonOption,
  },
  examples: [
    'zos flist stores dist/flists/modules.fl',
    'zos flist stores dist/flists/modules.fl --set s3://READ:SECRET@hub:3900/blobs?region=garage',
  ],
  run: async (ctx) => {
    const [file, ...more] = ctx.args
    if (file === undefined || more.length > 0) throw usage('expected one flist', 'stores')
    const flist = await loadFlist(ctx, file)
    const named = routesOf(ctx, list(ctx.options.set))
    if (named.length > 0) {
      checkCoverage(named, '--set')
      named.forEach(checkReadable)
      if (ctx.options.unchecked !== true) {
        const pool = new BlockPool()
        try {
          const before = locationsOf(flist.routes.filter(isReadHere))
          await checkRoutes(locationsOf(named), before, blocksOf(flist), openStore(ctx), pool)
        } finally {
          await pool.close()
        }
      }
      await ctx.files.replace(pathOf(ctx, file), writeFlist({ ...flist, routes: named }))
    }
    const routes = (named.length > 0 ? named : flist.routes).map(shownRoute)
    if (ctx.json) ctx.out(`${JSON.stringify({ flist: file, routes })}\n`)
    else ctx.out(routes.length > 0 ? routes.map((route) => `${route}\n`).join('') : `${file} names no store\n`)
    return ExitCode.ok
  },
}
export default command
