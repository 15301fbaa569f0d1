// zos build --verify-cache runs in a process of its own, in another locale and time zone.
import { elsewhere } from '../engine/verify.js'
import { isZosError } from '../error.js'
import { runProcess } from '../io/process.js'
import type { Cli } from './command.js'

/** Whether this process is the one that compares. */
export const isElsewhere = (env: Cli['env']): boolean =>
  Object.entries(elsewhere).every(([name, value]) => env[name] === value)

/** Runs the same command line elsewhere, and gives its exit code; all that it says is said here. */
export const buildElsewhere = async ({ cwd, env, signal, words, out, err }: Cli): Promise<number> => {
  const inherited = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const program = process.argv[1] ?? ''
  try {
    await runProcess({
      file: '/bin/sh',
      args: ['-c', 'umask 077 && exec "$@"', 'sh', process.execPath, ...process.execArgv, program, ...words],
      env: { ...Object.fromEntries(inherited), ...elsewhere },
      cwd,
      signal,
      stdout: 'lines',
      onLine: (line, stream) => (stream === 'stdout' ? out : err)(`${line}\n`),
    })
    return 0
  } catch (error) {
    if (isZosError(error) && typeof error.data.exitCode === 'number') return error.data.exitCode
    throw error
  }
}
