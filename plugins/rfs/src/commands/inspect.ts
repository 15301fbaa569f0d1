// zos flist inspect: what a flist holds, as a whole or at one path.
import { type CommandContext, type CommandDefinition, ExitCode, sizeText } from '@zos/core'
import { blocksOf, type Flist, type FlistEntry, fileType, splitRdev, typeOf } from '../flist.js'
import { shownRoute } from '../route.js'
import { findEntry } from './content.js'
import { jsonOption, loadFlist, usage } from './open.js'

const kinds: readonly (readonly [number, string])[] = [
  [fileType.file, 'files'],
  [fileType.directory, 'directories'],
  [fileType.symlink, 'links'],
  [fileType.character, 'character devices'],
  [fileType.block, 'block devices'],
  [fileType.fifo, 'FIFOs'],
  [fileType.socket, 'sockets'],
]

const command: CommandDefinition = {
  summary: 'Says what a flist holds, its tags, and where its blocks are; or all of one path. Keys are masked.',
  arguments: 'FILE [PATH]',
  options: { json: jsonOption },
  examples: ['zos flist inspect dist/flists/modules.fl', 'zos flist inspect dist/flists/modules.fl /modules.dep'],
  run: async (ctx) => {
    const [file, path, ...more] = ctx.args
    if (file === undefined || more.length > 0) throw usage('expected a flist, and perhaps a path', 'inspect')
    const flist = await loadFlist(ctx, file)
    if (path === undefined) tellAll(ctx, flist, file)
    else tellOne(ctx, findEntry(flist.entries, path, file))
    return ExitCode.ok
  },
}
export default command

const tellAll = (ctx: CommandContext, flist: Flist, file: string): void => {
  const counts = kinds.flatMap(([type, name]) => {
    const count = flist.entries.filter((entry) => typeOf(entry) === type).length
    return count > 0 ? [[name, count] as const] : []
  })
  const blocks = blocksOf(flist).length
  const bytes = flist.entries.reduce((sum, entry) => sum + (typeOf(entry) === fileType.file ? entry.size : 0), 0)
  const routes = flist.routes.map(shownRoute)
  if (ctx.json) {
    const tags = Object.fromEntries(flist.tags)
    ctx.out(`${JSON.stringify({ flist: file, entries: Object.fromEntries(counts), bytes, blocks, tags, routes })}\n`)
    return
  }
  const rows = [
    ...counts.map(([name, count]) => [name, String(count)]),
    ['content', sizeText(bytes)],
    ['blocks', String(blocks)],
    ...[...flist.tags].map(([key, value]) => [`tag ${key}`, value]),
    ...(routes.length > 0 ? routes.map((route) => ['store', route]) : [['store', 'none: nobody can read its files']]),
  ]
  ctx.out(`${file}\n${rows.map(([name = '', value]) => `  ${name.padEnd(18)} ${value}\n`).join('')}`)
}

const tellOne = (ctx: CommandContext, entry: FlistEntry): void => {
  const { path, mode, uid, gid, size, rdev, mtime, target, blocks } = entry
  if (ctx.json) {
    ctx.out(`${JSON.stringify({ ...entry, blocks: blocks.map(({ id }) => id) })}\n`)
    return
  }
  const { major, minor } = splitRdev(rdev)
  const rows = [
    ['mode', mode.toString(8)],
    ['owner', `${uid}:${gid}`],
    ['size', String(size)],
    ['changed', `${mtime} (seconds since 1970)`],
    ...(rdev === 0 ? [] : [['device', `${major}:${minor}`]]),
    ...(target === undefined ? [] : [['target', target]]),
    ...blocks.map(({ id }) => ['block', id]),
  ]
  ctx.out(`${path}\n${rows.map(([name = '', value]) => `  ${name.padEnd(8)} ${value}\n`).join('')}`)
}
