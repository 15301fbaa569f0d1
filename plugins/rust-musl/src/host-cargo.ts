// Runs the user's own cargo with network, for what the registry and git servers have: never for a build.
import { ExitCode, type FetchContext, isZosError, ZosError } from '@zos/core'

export interface HostCargo {
  /** `cargo`, or the absolute path of one. */
  readonly file: string
  readonly env?: Readonly<Record<string, string>>
}

export const userCargo: HostCargo = { file: 'cargo' }

/** The first error that cargo printed, with the lines that explain it; at most 8 lines. */
export const cargoError = (stderr: string): string | undefined => {
  const lines = stderr.split('\n')
  const at = lines.findIndex((line) => line.startsWith('error'))
  if (at < 0) return undefined
  const end = lines.findIndex((line, index) => index > at && /^(note|help|warning)\b/.test(line))
  const told = lines.slice(at, end < 0 ? undefined : end).filter((line) => line.trim() !== '')
  return told.slice(0, 8).join('\n')
}

/**
 * Runs cargo in the scratch folder, whose parents' `.cargo` and the user's CARGO_HOME configure it: mirrors, proxies and
 * credentials apply. What a fetched crate brings as configuration does not. Gives standard output; fails as `RUST_CARGO`.
 */
export const runCargo = async (
  ctx: Pick<FetchContext, 'run' | 'offline'>,
  cargo: HostCargo,
  args: readonly string[],
): Promise<string> => {
  if (ctx.offline) {
    throw new ZosError('OFFLINE', `cargo ${args[0]} needs the network, and what it would bring is not in the store`, {
      hint: 'run once without --offline',
      exit: ExitCode.fetch,
    })
  }
  try {
    const { stdout } = await ctx.run({ ...cargo, args: [...args, '--color', 'never'] })
    return stdout
  } catch (cause) {
    if (!isZosError(cause) || cause.code !== 'PROCESS_FAILED') throw cause
    throw new ZosError('RUST_CARGO', cargoError(String(cause.data.stderr)) ?? cause.message, {
      hint: `cargo ${args.join(' ')}\nmirrors, proxies and credentials are those of cargo's own configuration`.split(
        '\n',
      ),
      exit: ExitCode.fetch,
      cause,
    })
  }
}
