// Where the time of a build goes, for chrome://tracing and https://ui.perfetto.dev. Source: the Trace Event Format.
import { writeFileSync } from 'node:fs'
import { ExitCode, ZosError } from '../error.js'
import type { Report } from './report.js'

interface TraceEvent {
  readonly name: string
  readonly cat: string
  readonly ph: 'X' | 'M'
  /** Microseconds since the process started, and for how long. */
  readonly ts?: number
  readonly dur?: number
  readonly pid: 1
  readonly tid: number
  readonly args?: Readonly<Record<string, unknown>>
}

const micro = (ms: number): number => Math.round(ms * 1000)

/** Collects phases, steps, fetches and commands; `file` is written when the build ends, however it ends. */
export const traceReport = (file: string, now = () => performance.now()): Report => {
  const events: TraceEvent[] = [{ name: 'thread_name', cat: '', ph: 'M', pid: 1, tid: 0, args: { name: 'phases' } }]
  /** Ends of the last event of each lane: what overlaps lies in lanes of its own. */
  const lanes: number[] = []
  const add = (name: string, cat: string, start: number, end: number, args: TraceEvent['args'] = {}): void => {
    const free = lanes.findIndex((until) => until <= start)
    const lane = free < 0 ? lanes.length : free
    lanes[lane] = end
    events.push({ name, cat, ph: 'X', ts: micro(start), dur: micro(end - start), pid: 1, tid: lane + 1, args })
  }
  return {
    start: () => undefined,
    phase: (name, summary, ms) => {
      const end = now()
      events.push({
        name,
        cat: 'phase',
        ph: 'X',
        ts: micro(end - ms),
        dur: micro(ms),
        pid: 1,
        tid: 0,
        args: { summary },
      })
    },
    step: ({ id, phase, state, ms, why }) => {
      const end = now()
      if (state !== 'started') add(id, phase, end - (ms ?? 0), end, { state, ...(why !== undefined && { why }) })
    },
    span: (name, category, start, args) => add(name, category, start, now(), args),
    progress: () => undefined,
    warn: () => undefined,
    finish: () => undefined,
    close: () => {
      const boot = { name: 'start of zos', cat: 'phase', ph: 'X', ts: 0, pid: 1, tid: 0 } as const
      const [first] = events.filter(({ ts }) => ts !== undefined).sort((a, b) => a.ts! - b.ts!)
      try {
        const all = [...events, { ...boot, dur: first?.ts ?? micro(now()) }]
        writeFileSync(file, `${JSON.stringify({ displayTimeUnit: 'ms', traceEvents: all })}\n`)
      } catch (cause) {
        throw new ZosError('TRACE_WRITE', `${file} cannot be written: ${(cause as Error).message}`, {
          exit: ExitCode.usage,
          cause,
        })
      }
    },
  }
}
