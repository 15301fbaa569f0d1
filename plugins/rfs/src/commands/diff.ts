// zos flist diff: what differs between two flists, without fetching anything.
import { type CommandDefinition, ExitCode } from '@zos/core'
import { type Flist, type FlistEntry, fileType, typeOf } from '../flist.js'
import { shownRoute } from '../route.js'
import { jsonOption, loadFlist, usage } from './open.js'

interface Difference {
  readonly sign: '+' | '-' | '~'
  readonly path: string
  readonly what: readonly string[]
}

const changes = (before: FlistEntry, after: FlistEntry): string[] => {
  const what: string[] = []
  const octal = (mode: number): string => mode.toString(8)
  if (before.mode !== after.mode) what.push(`mode ${octal(before.mode)} → ${octal(after.mode)}`)
  if (before.uid !== after.uid || before.gid !== after.gid)
    what.push(`owner ${before.uid}:${before.gid} → ${after.uid}:${after.gid}`)
  if (before.rdev !== after.rdev) what.push(`device ${before.rdev} → ${after.rdev}`)
  if (before.target !== after.target) what.push(`target ${before.target} → ${after.target}`)
  const isSame =
    before.blocks.length === after.blocks.length &&
    before.blocks.every(({ id, key }, at) => id === after.blocks[at]?.id && key === after.blocks[at]?.key)
  if (!isSame) what.push(`content, ${before.size} → ${after.size} bytes`)
  if (before.mtime !== after.mtime && typeOf(after) !== fileType.directory)
    what.push(`time ${before.mtime} → ${after.mtime}`)
  return what
}

export const diffFlists = (before: Flist, after: Flist): Difference[] => {
  const old = new Map(before.entries.map((entry) => [entry.path, entry]))
  const differences: Difference[] = []
  for (const entry of after.entries) {
    const other = old.get(entry.path)
    old.delete(entry.path)
    const what = other ? changes(other, entry) : []
    if (!other) differences.push({ sign: '+', path: entry.path, what: [] })
    else if (what.length > 0) differences.push({ sign: '~', path: entry.path, what })
  }
  for (const path of old.keys()) differences.push({ sign: '-', path, what: [] })
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const command: CommandDefinition = {
  summary:
    'Says what differs between two flists: paths, attributes, contents, tags, stores. Ends with 0 where nothing does, else with 1.',
  arguments: 'FILE FILE',
  options: { json: jsonOption },
  examples: ['zos flist diff old/modules.fl dist/flists/modules.fl'],
  run: async (ctx) => {
    const [first, second, ...more] = ctx.args
    if (first === undefined || second === undefined || more.length > 0) throw usage('expected two flists', 'diff')
    const [before, after] = [await loadFlist(ctx, first), await loadFlist(ctx, second)]
    const differences = diffFlists(before, after)
    for (const { sign, path, what } of differences) {
      if (ctx.json) ctx.out(`${JSON.stringify({ event: 'difference', sign, path, what })}\n`)
      else ctx.out(`${sign} ${path}${what.length > 0 ? `: ${what.join('; ')}` : ''}\n`)
    }
    const lists = [
      ['tags', ({ tags }: Flist) => [...tags].map(([key, value]) => `${key}=${value}`)],
      ['stores', ({ routes }: Flist) => routes.map(shownRoute)],
    ] as const
    let count = differences.length
    for (const [name, of] of lists) {
      const [old, now] = [of(before).sort().join(', '), of(after).sort().join(', ')]
      if (old === now) continue
      count++
      if (ctx.json) ctx.out(`${JSON.stringify({ event: 'difference', sign: '~', path: name, what: [old, now] })}\n`)
      else ctx.out(`~ ${name}: ${old || 'none'} → ${now || 'none'}\n`)
    }
    return count === 0 ? ExitCode.ok : ExitCode.build
  },
}
export default command
