#!/usr/bin/env node
// The `zos` program: finds the command, runs it, prints its error.
import { ExitCode, isZosError } from '../error.js'
import { errorJson, errorLines } from '../report/error.js'
import type { Cli } from './command.js'

const abort = new AbortController()
let interrupts = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second Ctrl-C does not wait for anything.
    if (++interrupts > 1) process.exit(ExitCode.interrupted)
    abort.abort(new Error(`ended by ${signal}`))
  })
}

const cli: Cli = {
  words: process.argv.slice(2),
  cwd: process.cwd(),
  env: process.env,
  isTerminal: process.stdout.isTTY === true,
  signal: abort.signal,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  now: () => Date.now(),
}
// A pipe that was closed early (zos config | head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : ExitCode.internal),
)

try {
  const { runCli } = await import('./commands.js')
  process.exitCode = await runCli(cli, cli.words)
} catch (error) {
  if (abort.signal.aborted) {
    cli.err('interrupted; what was finished is in the store\n')
    process.exitCode = ExitCode.interrupted
  } else {
    if (cli.words.includes('--json')) cli.out(`${errorJson(error)}\n`)
    else cli.err(`${errorLines(error).join('\n')}\n`)
    process.exitCode = isZosError(error) ? error.exit : ExitCode.internal
  }
}
