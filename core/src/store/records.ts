// What the store remembers of taps, commands and builds.
import type { Json } from '../model/canonical.js'
import type { Package } from '../model/package.js'

/** What a tap looked at, and what it saw: kind and subject (`file config/init`), and a digest or short value. */
export interface Read {
  readonly kind: string
  readonly subject: string
  readonly saw: string
}

/** What a remembered value is of: a command, a pure function, a source, lines of progress, the builds of a config, shares of an archive. */
export type ResultKind = 'action' | 'memo' | 'fetch' | 'units' | 'build' | 'size'

/** A command that a tap asked for: its key, and the name that people see. */
export interface RecordedAction {
  readonly name: string
  readonly key: string
}

/** One run of a tap, as remembered. */
export interface TapRecord {
  /** Digest of the plugin's code, for the reason of a rerun. */
  readonly code: string
  readonly options: string
  readonly reads: readonly Read[]
  readonly result: Json
  readonly actions: readonly RecordedAction[]
  readonly packages: readonly Package[]
  /** Milliseconds that the run took. */
  readonly ms: number
  /** The step of another config that ran it, as `placeOf` gives it; without it, the step itself did. */
  readonly from?: string
}

/** A read that saw something else than in the run before. */
export interface Change {
  readonly kind: string
  readonly subject: string
  readonly before: string
  readonly after: string
}

/** A line of a build's history. */
export interface StepHistory {
  readonly step: string
  readonly phase: string
  readonly state: 'hit' | 'ran' | 'failed'
  readonly ms: number
  readonly why: readonly string[]
  /** Of a step that ran: what its reads saw otherwise than the run before. */
  readonly changes?: readonly Change[]
  /** Of a step that ran: what it did to which file. */
  readonly details?: readonly string[]
  /** Name of the command by which it failed. */
  readonly failed?: string
}
