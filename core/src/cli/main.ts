#!/usr/bin/env node
// The `zos` program: its process, signals and streams.
import { ExitCode, ZosError } from '../error.js'
import type { Cli } from './command.js'
import { runProgram } from './program.js'

const abort = new AbortController()
let interrupts = 0
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second Ctrl-C does not wait for anything.
    if (++interrupts > 1) process.exit(ExitCode.interrupted)
    abort.abort(new ZosError('INTERRUPTED', `ended by ${signal}`, { exit: ExitCode.interrupted }))
  })
}

// One of several builds ends with the program that started it, even where that got KILL.
const parent = process.env.ZOS_PARENT
if (parent !== undefined) {
  const look = (): void => {
    if (process.ppid !== Number(parent))
      abort.abort(
        new ZosError('INTERRUPTED', 'the program that started this build is gone', { exit: ExitCode.interrupted }),
      )
  }
  setInterval(look, 500).unref()
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

process.exitCode = await runProgram(cli)
