// zos flist extract: the files of a flist into a folder.
import { type CommandDefinition, ExitCode, sizeText, type TreeRecord } from '@zos/core'
import { BlockPool } from '../block-pool.js'
import { closeRoutes, openRoutes } from '../block-store.js'
import { type FlistEntry, fileType, splitRdev, typeOf } from '../flist.js'
import { contentBlob, contentReader } from './content.js'
import { jsonOption, loadFlist, openStore, pathOf, readLocations, storeOption, usage } from './open.js'

const recordOf = (entry: FlistEntry): TreeRecord | undefined => {
  const { path, uid, gid, rdev, target } = entry
  const common = { path, uid, gid, mode: entry.mode & 0o7777 }
  switch (typeOf(entry)) {
    case fileType.file:
      return { ...common, kind: 'file', blob: contentBlob(entry) }
    case fileType.directory:
      return { ...common, kind: 'directory' }
    case fileType.symlink:
      return { ...common, kind: 'symlink', target: target! }
    case fileType.character:
      return { ...common, kind: 'character', ...splitRdev(rdev) }
    case fileType.block:
      return { ...common, kind: 'block', ...splitRdev(rdev) }
    case fileType.fifo:
      return { ...common, kind: 'fifo' }
    default:
      return undefined
  }
}

const command: CommandDefinition = {
  summary:
    'Writes what is in a flist into an empty or new folder, with modes, as the user who runs it. Every block is checked before it is written.',
  arguments: 'FILE FOLDER',
  options: { store: storeOption, json: jsonOption },
  examples: ['zos flist extract dist/flists/firmware.fl firmware'],
  run: async (ctx) => {
    const [file, folder, ...more] = ctx.args
    if (file === undefined || folder === undefined || more.length > 0)
      throw usage('expected a flist and a folder', 'extract')
    const start = performance.now()
    const flist = await loadFlist(ctx, file)
    const routes = await openRoutes(readLocations(ctx, flist, file), openStore(ctx))
    const pool = new BlockPool()
    try {
      const records = flist.entries.flatMap((entry) => recordOf(entry) ?? [])
      const reader = contentReader(flist.entries, routes, pool)
      const times = flist.entries.map(({ mtime }) => mtime)
      const newest = times.reduce((a, b) => Math.max(a, b), 0)
      const skipped = await ctx.files.writeFolder(pathOf(ctx, folder), records, reader, newest)
      const sockets = flist.entries.filter((entry) => typeOf(entry) === fileType.socket).map(({ path }) => path)
      const left = [...skipped, ...sockets]
      const bytes = flist.entries.reduce((sum, entry) => sum + (typeOf(entry) === fileType.file ? entry.size : 0), 0)
      const seconds = (performance.now() - start) / 1000
      if (ctx.json)
        ctx.out(
          `${JSON.stringify({ event: 'extracted', flist: file, folder, entries: records.length - skipped.length, bytes, left, seconds })}\n`,
        )
      else
        ctx.out(
          `${folder}: ${records.length - skipped.length} entries, ${sizeText(bytes)}, ${seconds.toFixed(1)} s${
            left.length > 0 ? `; left out, only root can make them: ${left.join(', ')}` : ''
          }\n`,
        )
    } finally {
      closeRoutes(routes)
      await pool.close()
    }
    return ExitCode.ok
  },
}
export default command
