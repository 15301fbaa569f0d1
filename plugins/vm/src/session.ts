import { type CommandContext, ZosError } from '@zos/core'
import { lastLines, Tail, TextWatch } from './console.js'
import type { Command } from './tools.js'

export interface SessionOptions {
  /** End the machine once its console has printed this. */
  readonly expect: string | undefined
  /** End the machine after so many milliseconds. */
  readonly timeout: number | undefined
  /** File that gets everything that the console prints; what was in it is gone. */
  readonly log: string
  /** Whether the console is shown, and takes keys. */
  readonly show: boolean
}

/** How a machine came to its end, and after how many milliseconds the text was there or the machine gone. */
export interface SessionEnd {
  readonly by: 'expected' | 'itself'
  readonly after: number
}

/** Time in milliseconds for the rest of the line after the text that was waited for. */
const restOfLine = 300

/** Time in milliseconds from SIGTERM to SIGKILL. */
const patience = 5000

/**
 * Runs a machine until it ends, the text that is waited for comes, or the time is up. The last is `VM_TIMEOUT`, an end
 * before the text `VM_ENDED`, and QEMU's own failure `VM_QEMU`, with the console's or QEMU's last lines.
 */
export const runSession = async (
  ctx: CommandContext,
  command: Command,
  options: SessionOptions,
): Promise<SessionEnd> => {
  const { expect, timeout, log, show } = options
  const watch = expect === undefined ? undefined : new TextWatch(expect)
  const [console, errors] = [new Tail(16_384), new Tail(4096)]
  await ctx.files.write(log, '')
  let written = Promise.resolve()
  const started = ctx.now()
  let foundAt: number | undefined
  let timedOut = false
  const timers: ReturnType<typeof setTimeout>[] = []
  const later = (ms: number, run: () => void) => timers.push(setTimeout(run, ms))

  const machine = ctx.spawn(command, {
    terminal: show && ctx.isTerminal,
    onError: (chunk) => errors.push(chunk),
    onOutput: (chunk) => {
      console.push(chunk)
      if (show) ctx.out(decode(chunk))
      written = written.then(() => ctx.files.append(log, chunk))
      if (foundAt !== undefined || !watch?.push(chunk)) return
      foundAt = ctx.now()
      later(restOfLine, end)
    },
  })
  const end = () => {
    machine.kill('SIGTERM')
    later(patience, () => machine.kill('SIGKILL'))
  }
  if (timeout !== undefined) {
    later(timeout, () => {
      timedOut = foundAt === undefined
      end()
    })
  }
  const decoder = new TextDecoder()
  const decode = (chunk: Uint8Array) => decoder.decode(chunk, { stream: true })
  ctx.signal.addEventListener('abort', end, { once: true })
  const exitCode = await machine.exit
  ctx.signal.removeEventListener('abort', end)
  for (const timer of timers) clearTimeout(timer)
  await written

  const after = (foundAt ?? ctx.now()) - started
  if (foundAt !== undefined) return { by: 'expected', after }
  const seen = lastLines(console.text, 12)
  const hint = [`all of the console: ${log}`, ...seen.map((line) => `  ${line}`)]
  const seconds = `${(after / 1000).toFixed(1)} s`
  if (timedOut) {
    const wanted = expect === undefined ? 'was ended: its time was up' : `did not print ${JSON.stringify(expect)}`
    throw new ZosError('VM_TIMEOUT', `the machine ${wanted} after ${seconds}`, { hint })
  }
  if (ctx.signal.aborted) return { by: 'itself', after }
  if (exitCode !== 0) {
    const words = lastLines(errors.text, 8).join('\n')
    throw new ZosError('VM_QEMU', `${command.file} ended with ${exitCode} after ${seconds}\n${words}`, { hint })
  }
  if (expect === undefined) return { by: 'itself', after }
  throw new ZosError('VM_ENDED', `the machine ended after ${seconds} and had not printed ${JSON.stringify(expect)}`, {
    hint,
  })
}
