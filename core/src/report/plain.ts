// Plain lines: for pipes, CI and build.log.
import type { Report, Warning } from './report.js'
import { summaryLines } from './summary.js'
import { timeText } from './words.js'

export const warningLines = ({ code, message, hint, plugin }: Warning): string[] => [
  `warning ${code}${plugin ? ` [${plugin}]` : ''} ${message}`,
  ...(hint ? [`  hint: ${hint}`] : []),
]

export interface PlainOptions {
  readonly write: (line: string) => void
  readonly cwd: string
  readonly now: () => number
  /** Every step and every line of progress: for build.log and DEBUG=1. */
  readonly verbose: boolean
}

/** Progress of long steps is repeated at most this often. Milliseconds. */
const every = 10_000

export const plainReport = ({ write, cwd, now, verbose }: PlainOptions): Report => {
  const warnings = new Map<string, Warning>()
  const lastProgress = new Map<string, number>()
  return {
    start: ({ name, file, mode, arch, lock }) => write(`${name} (${file}, ${mode}, ${arch})  ${lock}`),
    phase: (phase, summary, ms) => write(`  ${phase.padEnd(9)} ${summary}  ${timeText(ms)}`),
    step: ({ id, phase, state, ms, why }) => {
      if (state === 'started' && phase !== 'fetch') write(`  ${phase.padEnd(9)} ${id}: ${why ?? 'runs'}`)
      else if (state === 'failed') write(`  ${phase.padEnd(9)} ${id}: failed`)
      else if (state === 'ran' && (verbose || (ms ?? 0) > 1000))
        write(`  ${phase.padEnd(9)} ${id}: done, ${timeText(ms ?? 0)}`)
      else if (state === 'hit' && verbose) write(`  ${phase.padEnd(9)} ${id}: from the store`)
    },
    progress: (step, text, done, total) => {
      const time = now()
      if (!verbose && time - (lastProgress.get(step) ?? 0) < every) return
      lastProgress.set(step, time)
      write(`            ${step}: ${text}${total === undefined ? '' : ` ${done}/${total}`}`)
    },
    warn: (warning) => {
      const key = warning.code + warning.message
      if (warnings.has(key)) return
      warnings.set(key, warning)
      for (const line of warningLines(warning)) write(line)
    },
    finish: (summary) => {
      for (const line of summaryLines(summary, cwd)) write(line)
    },
    close: () => undefined,
  }
}
