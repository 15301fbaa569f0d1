// A whole run of `zos`: the command, and what is said when it fails.
import { diskError, ExitCode, isZosError } from '../error.js'
import { errorJson, errorLines } from '../report/error.js'
import type { Cli } from './command.js'

/** Runs the command that `cli.words` names; never throws. Gives the exit code. */
export const runProgram = async (cli: Cli): Promise<number> => {
  try {
    const { runCli } = await import('./commands.js')
    return await runCli(cli, cli.words)
  } catch (cause) {
    const error = isZosError(cause) ? cause : (diskError(cause) ?? cause)
    if (cli.signal.aborted) {
      cli.err('interrupted; what was finished is in the store\n')
      return ExitCode.interrupted
    }
    if (cli.words.includes('--json')) cli.out(`${errorJson(error)}\n`)
    else cli.err(`${errorLines(error).join('\n')}\n`)
    return isZosError(error) ? error.exit : ExitCode.internal
  }
}
