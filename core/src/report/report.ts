// What a build tells: events from the phases, and the people and programs that listen.
import type { Phase } from '../engine/session.js'
import { redact } from '../error.js'
import type { Manifest } from '../model/manifest.js'
import type { Receipt } from '../model/output.js'

export interface StepEvent {
  readonly id: string
  readonly phase: Phase
  readonly state: 'started' | 'hit' | 'ran' | 'failed'
  readonly ms?: number
  readonly why?: string
}

export interface Warning {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly plugin?: string
}

/** Summary of a finished build. */
export interface BuildSummary {
  readonly manifest: Manifest
  /** Sizes of the outputs of the build before, by name. */
  readonly before: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>
  readonly folder: string
  readonly steps: readonly {
    readonly step: string
    readonly phase: string
    readonly state: string
    readonly ms: number
    readonly why: readonly string[]
  }[]
  /** What was published, in order. */
  readonly receipts: readonly Receipt[]
  readonly ms: number
  /** How many results `--verify-cache` made again; all were equal. */
  readonly verified?: { readonly tap: number; readonly action: number; readonly function: number }
}

/** Everything that is said while a build runs. One implementation per audience: terminal, plain lines, JSON lines. */
export interface Report {
  start(build: { name: string; file: string; mode: string; arch: string; lock: string }): void
  phase(phase: Phase, summary: string, ms: number): void
  step(event: StepEvent): void
  progress(step: string, text: string, done?: number, total?: number): void
  warn(warning: Warning): void
  /** Something that took time from `start` (milliseconds since the process started) until now; for traces alone. */
  span?(name: string, category: string, start: number, args?: Readonly<Record<string, unknown>>): void
  finish(summary: BuildSummary): void
  /** Clears what is live on the terminal; nothing is shown after it. */
  close(): void
}

/** Sends every event to several reports; no secret gets that far. */
export const reportAll = (reports: readonly Report[]): Report => {
  const each = (tell: (report: Report) => void): void => {
    for (const report of reports) tell(report)
  }
  return {
    start: (build) => each((report) => report.start(build)),
    phase: (phase, summary, ms) => each((report) => report.phase(phase, summary, ms)),
    step: (event) => each((report) => report.step(event)),
    progress: (step, text, done, total) => {
      const masked = redact(text)
      each((report) => report.progress(step, masked, done, total))
    },
    warn: (warning) => {
      const { message, hint } = warning
      const masked = { ...warning, message: redact(message), ...(hint !== undefined && { hint: redact(hint) }) }
      each((report) => report.warn(masked))
    },
    span: (name, category, start, args) => each((report) => report.span?.(name, category, start, args)),
    finish: (summary) => each((report) => report.finish(summary)),
    close: () => each((report) => report.close()),
  }
}
