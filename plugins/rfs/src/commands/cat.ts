// zos flist cat: one file to standard output.
import { type CommandDefinition, ExitCode, ZosError } from '@zos/core'
import { BlockPool } from '../block-pool.js'
import { closeRoutes, openRoutes } from '../block-store.js'
import { isFile } from '../flist.js'
import { contentOf, findEntry } from './content.js'
import { jsonOption, loadFlist, openStore, readLocations, storeOption, usage } from './open.js'

const command: CommandDefinition = {
  summary: 'Prints the content of a file of a flist. Every block is checked before its bytes are printed.',
  arguments: 'FILE PATH',
  options: { store: storeOption, json: jsonOption },
  examples: ['zos flist cat dist/flists/modules.fl /modules.dep'],
  run: async (ctx) => {
    const [file, path, ...more] = ctx.args
    if (file === undefined || path === undefined || more.length > 0) throw usage('expected a flist and a path', 'cat')
    const flist = await loadFlist(ctx, file)
    const entry = findEntry(flist.entries, path, file)
    if (!isFile(entry))
      throw new ZosError(
        'FLIST_KIND',
        `${entry.path} is no regular file${entry.target ? `, but a link to ${entry.target}` : ''}`,
        { hint: `zos flist tree -l ${file} ${entry.path}` },
      )
    const routes = await openRoutes(readLocations(ctx, flist, file), openStore(ctx))
    const pool = new BlockPool()
    try {
      for await (const bytes of contentOf(entry, routes, pool)) await ctx.write(bytes)
    } finally {
      closeRoutes(routes)
      await pool.close()
    }
    return ExitCode.ok
  },
}
export default command
