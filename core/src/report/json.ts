import type { Report } from './report.js'

/** One JSON object a line, `event` first; the last is `finish` or `error`. */
export const jsonReport = (write: (line: string) => void): Report => {
  const say = (event: string, data: object): void => write(JSON.stringify({ event, ...data }))
  return {
    start: (build) => say('start', build),
    phase: (phase, summary, ms) => say('phase', { phase, summary, ms: Math.round(ms) }),
    step: (step) => say('step', step),
    progress: () => undefined,
    warn: (warning) => say('warning', warning),
    finish: ({ manifest, folder, steps, receipts, ms, verified }) =>
      say('finish', { folder, ms: Math.round(ms), manifest, steps, receipts, verified }),
    close: () => undefined,
  }
}
