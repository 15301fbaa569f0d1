import { ZosError } from '@zos/core'
import { normalUnit } from './normal.js'
import { oneshotTimeoutMs, type Service, serviceDefaults, type Test, testDefaults, type Unit } from './service.js'
import { healthKinds, oneshotGate, paceKeys, restartFields, serviceTables, targetTables } from './toml-fields.js'
import { toShell } from './words.js'

/** The two formats of unit files: YAML of zinit 0.2, TOML of zinit 0.3 and later. */
export type Dialect = 'yaml' | 'toml'

/** The dialect that a zinit of this version reads: `0.2.5` → YAML, `0.3.9` → TOML. */
export const dialectOf = (version: string): Dialect => {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:\.|$|-|\+)/.exec(version) ?? []
  if (major === undefined) {
    throw new ZosError('ZINIT_VERSION', `the zinit in this image calls itself ${JSON.stringify(version)}, not X.Y.Z`, {
      hint: "say which unit files it reads: zinit({ dialect: 'yaml' | 'toml' })",
    })
  }
  return Number(major) > 0 || Number(minor) >= 3 ? 'toml' : 'yaml'
}

/** Where the process manager looks for a unit. */
export const unitPath = (unit: Unit, dialect: Dialect): string => {
  if (dialect === 'yaml') return `/etc/zinit/${unit.name}.yaml`
  const folder = unit.kind === 'service' && unit.class === 'system' ? 'system' : 'services'
  return `/etc/zinit/${folder}/${unit.name}.toml`
}

/** A unit as text of a dialect. Equal units give equal text; `present` names all units of the image. */
export const renderUnit = (unit: Unit, dialect: Dialect, present: ReadonlySet<string>): string =>
  dialect === 'toml' ? renderToml(unit) : renderYaml(unit, present)

const noEquivalent = (unit: Unit, field: string, value: unknown, dialect: string, hint?: string): ZosError =>
  new ZosError(
    'ZINIT_NO_EQUIVALENT',
    `unit ${unit.name}: ${field} (${JSON.stringify(value)}) cannot be said in ${dialect}`,
    { subject: unit.name, hint: hint ?? 'leave the field out, or use a zinit of the other format' },
  )

/** JSON's string syntax is valid in both formats: control characters other than tab and line feed never get here. */
const text = (value: string): string => JSON.stringify(value)

/**
 * A unit of zinit 0.2: a service, at most `/etc/zinit/<name>.yaml`. `requires`, `after` and those of `wants` that are
 * in `present` become `after`, which waits until they are up. A field without an equivalent throws
 * `ZINIT_NO_EQUIVALENT`.
 */
export const renderYaml = (unit: Unit, present: ReadonlySet<string>): string => {
  const normal = normalUnit(unit, `unit ${unit.name}`)
  const dialect = 'a YAML unit of zinit 0.2'
  if (normal.kind === 'target') {
    throw noEquivalent(normal, 'kind', 'target', dialect, 'make it a oneshot service with exec: true')
  }
  const { kind, name, exec, oneshot, dir, env, test, stopTimeoutMs, stopSignal, log, requires, after, wants, ...rest } =
    normal
  for (const [field, value] of Object.entries(rest)) throw noEquivalent(normal, field, value, dialect)
  const lines = [`exec: ${scalar(exec)}`]
  if (test) {
    const { exec: line, ...pace } = test as { exec?: string }
    if (oneshot || line === undefined)
      throw noEquivalent(
        normal,
        'test',
        test,
        dialect,
        "zinit 0.2 tests with a command, and services only: test: { exec: '…' }",
      )
    for (const [field, value] of Object.entries(pace)) throw noEquivalent(normal, `test.${field}`, value, dialect)
    lines.push(`test: ${scalar(line)}`)
  }
  if (oneshot) lines.push('oneshot: true')
  if (stopTimeoutMs !== undefined) {
    if (stopTimeoutMs % 1000 !== 0)
      throw noEquivalent(normal, 'stopTimeoutMs', stopTimeoutMs, dialect, 'use whole seconds')
    lines.push(`shutdown_timeout: ${stopTimeoutMs / 1000}`)
  }
  const names = new Set([...(requires ?? []), ...(after ?? []), ...(wants ?? []).filter((want) => present.has(want))])
  if (names.size > 0) lines.push('after:', ...[...names].sort().map((other) => `  - ${scalar(other)}`))
  if (stopSignal !== undefined) lines.push('signal:', `  stop: ${stopSignal}`)
  if (log !== undefined) lines.push(`log: ${log}`)
  if (env)
    lines.push('env:', ...Object.entries(env).map(([variable, value]) => `  ${scalar(variable)}: ${text(value)}`))
  if (dir !== undefined) lines.push(`dir: ${scalar(dir)}`)
  return `${lines.join('\n')}\n`
}

/** Words that some YAML reader takes for a number, a truth value or nothing. */
const notText = /^(?:true|false|null|yes|no|on|off|y|n|~|[-+.]?[\d.][\d._eExXoObB+-]*|\.?inf|\.?nan)$/i

/** Plain where that is plain text to every YAML reader, else in double quotes. */
const scalar = (value: string): string =>
  /^[A-Za-z0-9/_.][A-Za-z0-9/_.,=+@%'" -]*$/.test(value) && !value.endsWith(' ') && !notText.test(value)
    ? value
    : text(value)

/**
 * A unit of zinit 0.3. What differs from that version's own defaults is written; a service that restarts for ever says
 * so. A oneshot gets a test that keeps it from counting as up before it ended. `wants` is written to `after` too, since
 * 0.3 waits for nothing that is only wanted. A field without an equivalent throws `ZINIT_NO_EQUIVALENT`.
 */
export const renderToml = (unit: Unit): string => {
  const normal = normalUnit(unit, `unit ${unit.name}`)
  if (normal.kind === 'service' && normal.log !== undefined) {
    throw noEquivalent(
      normal,
      'log',
      normal.log,
      'a TOML unit of zinit 0.3',
      'its log is always a ring in memory: leave log out',
    )
  }
  const written: Record<string, unknown> = {
    ...tomlValues(normal),
    ...(normal.wants && { after: [...(normal.after ?? []), ...normal.wants].sort() }),
  }
  const tables: string[] = []
  for (const [table, keys] of Object.entries(normal.kind === 'service' ? serviceTables : targetTables)) {
    const lines: string[] = []
    for (const [key, { field, usual }] of Object.entries(keys)) {
      const value = written[field]
      if (value !== undefined && value !== usual && field !== 'env') lines.push(`${key} = ${tomlValue(value)}`)
    }
    if (lines.length > 0) tables.push(`[${table}]\n${lines.join('\n')}\n`)
    const env = table === 'service' && normal.kind === 'service' ? Object.entries(normal.env ?? {}) : []
    if (env.length > 0) {
      tables.push(`[service.env]\n${env.map(([variable, value]) => `${variable} = ${text(value)}\n`).join('')}`)
    }
  }
  if (normal.kind === 'service') tables.push(...health(normal))
  return tables.join('\n')
}

/** The fields of a unit with this project's defaults filled in, as far as zinit 0.3 looks at them. */
const tomlValues = (unit: Unit): Record<string, unknown> => {
  if (unit.kind === 'target') return { ...unit }
  const values: Record<string, unknown> = { ...serviceDefaults, ...unit, exec: toShell(unit.exec) }
  if (unit.oneshot) {
    for (const field of restartFields) delete values[field]
    if (unit.test) values.startTimeoutMs = unit.startTimeoutMs ?? oneshotTimeoutMs
    else delete values.startTimeoutMs
  }
  return values
}

const tomlValue = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => (typeof item === 'string' ? text(item) : item)).join(', ')}]`
  return typeof value === 'string' ? text(value) : String(value)
}

const health = ({ oneshot, startTimeoutMs, test }: Service): string[] => {
  const lines = ['[health]']
  if (test) {
    lines.push(...healthTest(test))
  } else if (oneshot) {
    for (const [key, value] of Object.entries(oneshotGate)) lines.push(`${key} = ${tomlValue(value)}`)
    lines.push(`start_period_ms = ${startTimeoutMs ?? oneshotTimeoutMs}`)
  } else return []
  return [`${lines.join('\n')}\n`]
}

const healthTest = (test: Test): string[] => {
  const kinds = test as { exec?: string; tcp?: string; http?: string; status?: number }
  const lines: string[] = []
  for (const kind of Object.keys(healthKinds) as (keyof typeof healthKinds)[]) {
    const target = kinds[kind]
    if (target !== undefined) {
      lines.push(`type = ${text(kind)}`, `target = ${text(kind === 'exec' ? toShell(target) : target)}`)
    }
  }
  if (kinds.status !== undefined) lines.push(`expect_status = ${kinds.status}`)
  for (const { key, field, usual } of paceKeys) {
    const value = test[field] ?? testDefaults[field]
    if (value !== usual) lines.push(`${key} = ${value}`)
  }
  return lines
}
