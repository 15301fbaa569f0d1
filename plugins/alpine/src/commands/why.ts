import { type CommandContext, closest, ExitCode, ZosError } from '@zos/core'
import type { PackagePin } from '../pin.js'
import { lockedPackages, notLocked } from './locked.js'

/** A way from what was asked for to a package; the shortest, and of those the first by name. */
const wayTo = (name: string, packages: ReadonlyMap<string, PackagePin>): string[] => {
  const queue: (readonly string[])[] = [[name]]
  const seen = new Set([name])
  for (let at = 0; at < queue.length; at++) {
    const way = queue[at]!
    for (const by of packages.get(way[0]!)?.by ?? []) {
      if (by === 'world') return ['world', ...way]
      if (seen.has(by)) continue
      seen.add(by)
      queue.push([by, ...way])
    }
  }
  return [name]
}

/** Says what pulled packages in, from the lock alone. */
export const whyCommand = async (ctx: CommandContext, names: readonly string[]): Promise<number> => {
  if (names.length === 0)
    throw new ZosError('CLI_USAGE', 'zos apk why: which package?', { hint: 'zos apk why NAME', exit: ExitCode.usage })
  const packages = new Map((await lockedPackages(ctx)).map((pin) => [pin.name, pin]))
  for (const name of names) {
    const pin = packages.get(name)
    if (!pin) throw notLocked(name, closest(name, [...packages.keys()], 3))
    const way = wayTo(name, packages)
    if (ctx.json) ctx.out(`${JSON.stringify({ name, version: pin.version, by: pin.by, way })}\n`)
    else
      ctx.out(
        `${name}-${pin.version}\n  ${way.join(' → ')}\n${pin.by.length > 1 ? `  needed by ${pin.by.join(', ')}\n` : ''}`,
      )
  }
  return ExitCode.ok
}
