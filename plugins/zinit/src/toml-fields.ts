import type { Service } from './service.js'

/** What a value of a unit file must be; a list of strings is an enumeration. */
export type ValueKind = 'text' | 'flag' | 'count' | 'texts' | 'ports' | 'variables' | readonly string[]

export interface TomlField {
  readonly field: keyof Service
  readonly is: ValueKind
  /** What zinit 0.3 does where the key is absent; without it, an absent key means an absent field. */
  readonly usual?: unknown
}

const order = {
  after: { field: 'after', is: 'texts' },
  requires: { field: 'requires', is: 'texts' },
  wants: { field: 'wants', is: 'texts' },
  conflicts: { field: 'conflicts', is: 'texts' },
} as const satisfies Record<string, TomlField>

/** The tables and keys of a service file of zinit 0.3 (crate `zinit` 0.3.9, `sdk/config.rs`), but for `[health]`. */
export const serviceTables: Readonly<Record<string, Readonly<Record<string, TomlField>>>> = {
  service: {
    name: { field: 'name', is: 'text' },
    exec: { field: 'exec', is: 'text' },
    dir: { field: 'dir', is: 'text', usual: '/' },
    oneshot: { field: 'oneshot', is: 'flag', usual: false },
    env: { field: 'env', is: 'variables' },
    status: { field: 'status', is: ['start', 'stop', 'ignore'], usual: 'start' },
    class: { field: 'class', is: ['user', 'system'], usual: 'user' },
    critical: { field: 'critical', is: 'flag', usual: false },
    ports: { field: 'ports', is: 'ports' },
    kill_others: { field: 'killOthers', is: 'flag', usual: false },
    process_filters: { field: 'processFilters', is: 'texts' },
  },
  dependencies: order,
  lifecycle: {
    restart: { field: 'restart', is: ['always', 'on-failure', 'never'], usual: 'on-failure' },
    restart_delay_ms: { field: 'restartDelayMs', is: 'count', usual: 1000 },
    restart_delay_max_ms: { field: 'restartDelayMaxMs', is: 'count', usual: 300_000 },
    max_restarts: { field: 'maxRestarts', is: 'count', usual: 10 },
    stability_period_ms: { field: 'stabilityPeriodMs', is: 'count', usual: 30_000 },
    start_timeout_ms: { field: 'startTimeoutMs', is: 'count', usual: 30_000 },
    stop_timeout_ms: { field: 'stopTimeoutMs', is: 'count', usual: 10_000 },
    stop_signal: { field: 'stopSignal', is: 'text', usual: 'SIGTERM' },
  },
  logging: {
    buffer_lines: { field: 'logLines', is: 'count', usual: 1000 },
    file: { field: 'logFile', is: 'text' },
    forward: { field: 'logForward', is: 'text' },
  },
}

/** The tables and keys of a target file. */
export const targetTables: typeof serviceTables = {
  target: { name: { field: 'name', is: 'text' }, critical: { field: 'critical', is: 'flag', usual: false } },
  dependencies: order,
}

/** The keys of `[health]` that hold numbers, with the fields of a `Test` and what zinit 0.3 takes where one is absent. */
export const paceKeys = [
  { key: 'interval_ms', field: 'intervalMs', usual: 10_000 },
  { key: 'timeout_ms', field: 'timeoutMs', usual: 5000 },
  { key: 'retries', field: 'retries', usual: 3 },
  { key: 'start_period_ms', field: 'startPeriodMs', usual: 0 },
] as const

export const healthKinds = { exec: 'exec', tcp: 'tcp', http: 'http' } as const

/** Fields that zinit 0.3 never looks at for a oneshot. */
export const restartFields: readonly (keyof Service)[] = [
  'restart',
  'restartDelayMs',
  'restartDelayMaxMs',
  'maxRestarts',
  'stabilityPeriodMs',
]

/**
 * zinit 0.3 counts a oneshot as up the moment it started. This test, which fails if it is ever made, keeps it from
 * being up until it has ended with 0; `start_period_ms` is the time it gets for that.
 */
export const oneshotGate = { type: 'exec', target: 'false', retries: 1 } as const
