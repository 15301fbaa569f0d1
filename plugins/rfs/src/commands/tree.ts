// zos flist tree: the paths of a flist.
import { type CommandDefinition, ExitCode } from '@zos/core'
import { type FlistEntry, fileType, typeOf } from '../flist.js'
import { findEntry } from './content.js'
import { jsonOption, loadFlist, usage } from './open.js'

const letters: Readonly<Record<number, string>> = {
  [fileType.directory]: 'd',
  [fileType.symlink]: 'l',
  [fileType.character]: 'c',
  [fileType.block]: 'b',
  [fileType.fifo]: 'p',
  [fileType.socket]: 's',
}

/** `drwxr-xr-x`, as ls writes it. */
export const modeText = (mode: number): string => {
  const bit = (at: number, letter: string): string => ((mode >> at) & 1 ? letter : '-')
  const special = (at: number, executable: number, letter: string): string => {
    if (((mode >> at) & 1) === 0) return bit(executable, 'x')
    return (mode >> executable) & 1 ? letter : letter.toUpperCase()
  }
  const first = letters[mode & fileType.mask] ?? '-'
  return `${first}${bit(8, 'r')}${bit(7, 'w')}${special(11, 6, 's')}${bit(5, 'r')}${bit(4, 'w')}${special(10, 3, 's')}${bit(2, 'r')}${bit(1, 'w')}${special(9, 0, 't')}`
}

const line = (entry: FlistEntry, isLong: boolean): string => {
  const { path, mode, uid, gid, size, target } = entry
  const slash = typeOf(entry) === fileType.directory && path !== '/' ? '/' : ''
  const name = `${path}${slash}${target === undefined ? '' : ` -> ${target}`}`
  return isLong ? `${modeText(mode)} ${`${uid}:${gid}`.padEnd(9)} ${String(size).padStart(10)} ${name}` : name
}

const command: CommandDefinition = {
  summary: 'Lists what is in a flist, a path a line, or what is below one path of it.',
  arguments: 'FILE [PATH]',
  options: {
    long: { type: 'boolean', short: 'l', help: 'with mode, owner and size (-l)' },
    json: jsonOption,
  },
  examples: ['zos flist tree dist/flists/modules.fl', 'zos flist tree -l dist/flists/modules.fl /kernel/fs'],
  run: async (ctx) => {
    const [file, path = '/', ...more] = ctx.args
    if (file === undefined || more.length > 0) throw usage('expected a flist, and perhaps a path', 'tree')
    const { entries } = await loadFlist(ctx, file)
    const { path: top } = findEntry(entries, path, file)
    const shown = entries.filter((entry) => top === '/' || entry.path === top || entry.path.startsWith(`${top}/`))
    for (const entry of shown) {
      if (ctx.json) ctx.out(`${JSON.stringify({ ...entry, blocks: entry.blocks.length })}\n`)
      else ctx.out(`${line(entry, ctx.options.long === true)}\n`)
    }
    return ExitCode.ok
  },
}
export default command
