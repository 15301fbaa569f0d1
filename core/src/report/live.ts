// The terminal: finished phases stay, what is going on now is redrawn below them.
import { warningLines } from './plain.js'
import type { Report, StepEvent, Warning } from './report.js'
import { summaryLines } from './summary.js'
import { timeText } from './words.js'

export interface Terminal {
  write(text: string): void
  readonly columns: () => number
  readonly color: boolean
}

interface Running {
  readonly event: StepEvent
  readonly since: number
  text: string
  done?: number
  total?: number
}

/** Redraws at most this often. Milliseconds. */
const every = 80
const mostLines = 6

const bar = (done: number, total: number): string => {
  const filled = Math.max(0, Math.min(20, Math.round((20 * done) / Math.max(1, total))))
  return `${'█'.repeat(filled)}${'░'.repeat(20 - filled)}`
}

export const liveReport = (terminal: Terminal, cwd: string, now: () => number): Report => {
  const running = new Map<string, Running>()
  const warnings = new Map<string, Warning>()
  let drawn = 0
  let last = 0
  let timer: NodeJS.Timeout | undefined
  const paint = (code: string, text: string): string => (terminal.color ? `\x1b[${code}m${text}\x1b[0m` : text)

  const clear = (): void => {
    if (drawn > 0) terminal.write(`\x1b[${drawn}A\x1b[J`)
    drawn = 0
  }
  const line = (text: string): string =>
    text.length > terminal.columns() - 1 ? `${text.slice(0, Math.max(0, terminal.columns() - 2))}…` : text
  const draw = (): void => {
    last = now()
    clear()
    const fetches = [...running.values()].filter(({ event }) => event.phase === 'fetch')
    const others = [...running.values()].filter(({ event }) => event.phase !== 'fetch')
    const rows: string[] = []
    if (fetches.length > 0)
      rows.push(`  fetch     ${fetches.length} under way: ${fetches[0]!.event.id} ${fetches[0]!.text}`)
    for (const { event, text, done, total, since } of others.slice(0, mostLines)) {
      const many = total === undefined ? '' : `  ${bar(done ?? 0, total)} ${done}/${total}`
      rows.push(`  ${event.phase.padEnd(9)} ${event.id}${many}  ${text}  ${timeText(now() - since)}`)
    }
    if (rows.length === 0) return
    terminal.write(`${rows.map(line).join('\n')}\n`)
    drawn = rows.length
  }
  const redraw = (): void => {
    if (timer) return
    timer = setTimeout(
      () => {
        timer = undefined
        draw()
      },
      Math.max(0, every - (now() - last)),
    )
    timer.unref()
  }
  const say = (text: string): void => {
    clear()
    terminal.write(`${text}\n`)
  }

  return {
    start: ({ name, file, mode, arch, lock }) => say(`${paint('1', name)} (${file}, ${mode}, ${arch})  ${lock}`),
    phase: (phase, summary, ms) => {
      say(`  ${phase.padEnd(9)} ${summary}  ${paint('2', timeText(ms))}`)
      redraw()
    },
    step: (event) => {
      if (event.state === 'started') running.set(event.id, { event, since: now(), text: event.why ?? '' })
      else running.delete(event.id)
      redraw()
    },
    progress: (step, text, done, total) => {
      const one = running.get(step) ?? {
        event: { id: step, phase: 'resolve', state: 'started' },
        since: now(),
        text: '',
      }
      running.set(step, { ...one, text, ...(total !== undefined && { total }), ...(done !== undefined && { done }) })
      redraw()
    },
    warn: (warning) => {
      warnings.set(warning.code + warning.message, warning)
    },
    finish: (summary) => {
      running.clear()
      clear()
      for (const text of summaryLines(summary, cwd)) terminal.write(`${text}\n`)
    },
    close: () => {
      if (timer) clearTimeout(timer)
      running.clear()
      clear()
      for (const warning of warnings.values())
        terminal.write(
          `${warningLines(warning)
            .map((text) => paint('33', text))
            .join('\n')}\n`,
        )
      warnings.clear()
    },
  }
}
