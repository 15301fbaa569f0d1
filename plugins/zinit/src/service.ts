/** How a running service is told from one that only started. */
export type Test = (
  | {
      /** Command line that ends with 0 once the service works; words are split as a shell does, no shell runs. */
      readonly exec: string
    }
  | {
      /** `host:port` that takes a TCP connection. */
      readonly tcp: string
    }
  | {
      /** URL that answers over plain HTTP. */
      readonly http: string
      /** Status code that counts as working. Default: 200. */
      readonly status?: number
    }
) & {
  /** Pause between two tests, in milliseconds. Default: 2000, which is also what zinit 0.2 does. */
  readonly intervalMs?: number
  /** Time limit of one test, in milliseconds. Default: 5000. */
  readonly timeoutMs?: number
  /** Tests that may fail before the service counts as failed. Default: 300. */
  readonly retries?: number
  /** Pause before the first test, in milliseconds. Default: 0. */
  readonly startPeriodMs?: number
}

export type RestartPolicy = 'always' | 'on-failure' | 'never'

/** What a unit waits for. Names are those of other units; order within a list has no meaning. */
export interface Order {
  /** Must exist, and be up before this one starts: a service runs and passes its test, a oneshot ended with 0. */
  readonly requires?: readonly string[]
  /** Must exist, and is started before this one; whether it works is not waited for. */
  readonly after?: readonly string[]
  /** As `after`, but only where the image has it. */
  readonly wants?: readonly string[]
  /** Never runs at the same time as these. */
  readonly conflicts?: readonly string[]
}

/**
 * One service, in the words of neither dialect alone. A field that is left out has the default named here, whatever
 * the dialect's own default is; a field that a dialect cannot express is an error when the unit is rendered to it.
 */
export interface Service extends Order {
  readonly kind: 'service'
  /** ASCII letters, digits, `-`, `_` and `.`; at most 64. */
  readonly name: string
  /** Command line. Words are split as a shell does, but nothing is expanded: for that, say `sh -c '…'`. */
  readonly exec: string
  /** Runs once and is up when it has ended with 0, instead of running for ever. Default: false. */
  readonly oneshot?: boolean
  /** Working directory. Default: `/`. */
  readonly dir?: string
  /** Environment variables on top of those of the process manager. */
  readonly env?: Readonly<Record<string, string>>
  readonly test?: Test
  /** When a service that ended starts again. Default: `always`. A oneshot never does. */
  readonly restart?: RestartPolicy
  /** Pause before the first restart, in milliseconds; it doubles with each further one. Default: 1000. */
  readonly restartDelayMs?: number
  /** Longest pause before a restart, in milliseconds. Default: 300000. */
  readonly restartDelayMaxMs?: number
  /** Restarts in a row before the service is given up; 0 is no limit. Default: 0. */
  readonly maxRestarts?: number
  /** Running time after which a service counts as stable again, in milliseconds. Default: 30000. */
  readonly stabilityPeriodMs?: number
  /** Time until it must be up, in milliseconds. Default: 30000, for a oneshot 600000. */
  readonly startTimeoutMs?: number
  /** Time between the stop signal and SIGKILL, in milliseconds. Default: 10000. */
  readonly stopTimeoutMs?: number
  /** Default: SIGTERM. */
  readonly stopSignal?: string
  /** Where its output goes: a ring in memory, nowhere, or the console. Default: `ring`. */
  readonly log?: 'ring' | 'none' | 'stdout'
  /** Lines that the ring keeps. Default: 1000. */
  readonly logLines?: number
  readonly logFile?: string
  readonly logForward?: string
  /** What the process manager keeps it at: started, stopped, or as it is. Default: `start`. */
  readonly status?: 'start' | 'stop' | 'ignore'
  /** A system service is left alone by commands that act on all services. Default: `user`. */
  readonly class?: 'user' | 'system'
  /** Its failure is reported as a failure of the machine. Default: false. */
  readonly critical?: boolean
  /** TCP ports that must be free before it starts. */
  readonly ports?: readonly number[]
  /** Ends processes that hold `ports` or match `processFilters` first. Default: false. */
  readonly killOthers?: boolean
  /** Parts of process names that must not be running before it starts. */
  readonly processFilters?: readonly string[]
}

/** A name for a state of the machine: up when what it requires is up. */
export interface Target extends Order {
  readonly kind: 'target'
  readonly name: string
  readonly critical?: boolean
}

export type Unit = Service | Target

/** A unit as it was read, and what a person should know about how it was understood. */
export interface ReadUnit<U extends Unit = Unit> {
  readonly unit: U
  readonly notes: readonly string[]
}

/** Defaults of the fields of a `Service`; a value equal to its default is left out of a normal form. */
export const serviceDefaults = {
  oneshot: false,
  dir: '/',
  restart: 'always',
  restartDelayMs: 1000,
  restartDelayMaxMs: 300_000,
  maxRestarts: 0,
  stabilityPeriodMs: 30_000,
  startTimeoutMs: 30_000,
  stopTimeoutMs: 10_000,
  stopSignal: 'SIGTERM',
  log: 'ring',
  logLines: 1000,
  status: 'start',
  class: 'user',
  critical: false,
  killOthers: false,
} as const satisfies Partial<Service>

/** Time that a oneshot gets, in milliseconds, where `startTimeoutMs` is not given. */
export const oneshotTimeoutMs = 600_000

export const testDefaults = { intervalMs: 2000, timeoutMs: 5000, retries: 300, startPeriodMs: 0, status: 200 } as const

/** Largest size of one unit file, in bytes. */
export const maxUnitBytes = 65_536
