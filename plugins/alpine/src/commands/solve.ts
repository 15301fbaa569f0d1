import { type CommandContext, ExitCode, ZosError } from '@zos/core'
import { solve } from '../solve/solution.js'
import { mergeWorld, worldEntry } from '../world.js'
import { offered } from './repositories.js'

/** Prints `name-version` of what names need, a line each in install order. */
export const solveCommand = async (ctx: CommandContext, names: readonly string[]): Promise<number> => {
  if (names.length === 0)
    throw new ZosError('CLI_USAGE', 'zos apk solve: which packages?', {
      hint: 'zos apk solve NAME…',
      exit: ExitCode.usage,
    })
  const world = mergeWorld(names.map((name) => worldEntry(name, 'the command line')))
  const universe = await offered(ctx)
  const chosen = solve(universe, world)
  if (ctx.json)
    ctx.out(
      `${JSON.stringify(
        chosen.map(({ candidate: { entry, repository }, by }) => ({
          name: entry.name,
          version: entry.version,
          checksum: entry.checksum,
          size: entry.size,
          repository: universe.repositories[repository]!.label,
          by,
        })),
      )}\n`,
    )
  else ctx.out(chosen.map(({ candidate }) => `${candidate.text}\n`).join(''))
  return ExitCode.ok
}
