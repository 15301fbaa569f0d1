import { closest, ZosError } from '@zos/core'
import { parse, TomlDate, TomlError } from 'smol-toml'
import { normalUnit } from './normal.js'
import { maxUnitBytes, oneshotTimeoutMs, type ReadUnit, serviceDefaults, testDefaults, type Unit } from './service.js'
import {
  healthKinds,
  oneshotGate,
  paceKeys,
  restartFields,
  serviceTables,
  targetTables,
  type ValueKind,
} from './toml-fields.js'
import { lineOf } from './toml-lines.js'
import { fromShell, splittingAt } from './words.js'

type Table = Record<string, unknown>

/**
 * Reads one TOML unit, a service or a target, as zinit 0.3 does (crate `zinit` 0.3.9, `sdk/config.rs` and
 * `sdk/validate.rs`), but strictly: an unknown table or key, or a value of another type, throws `ZINIT_UNIT` with file
 * and line. Where 0.3's default differs from that of `Service`, the unit gets 0.3's value.
 */
export const readToml = (content: string, file: string): ReadUnit => {
  if (content.length > maxUnitBytes) {
    throw new ZosError('ZINIT_UNIT', `${file}: ${content.length} characters, at most ${maxUnitBytes} are allowed`)
  }
  const tables = parseTables(content, file)
  const fail = (path: readonly string[], what: string, hint?: string): never => {
    throw new ZosError('ZINIT_UNIT', `${file}:${lineOf(content, path)}: ${what}`, hint === undefined ? {} : { hint })
  }
  const isTarget = 'target' in tables && !('service' in tables)
  const known = isTarget ? targetTables : serviceTables
  const names = isTarget ? Object.keys(known) : [...Object.keys(known), 'health']
  const fields: Table = { kind: isTarget ? 'target' : 'service' }
  for (const [table, content] of Object.entries(tables)) {
    if (!names.includes(table)) fail([table], `unknown table [${table}]`, choices(table, names))
    if (!isTable(content)) fail([table], `${table} is no table`)
    if (table === 'health') continue
    for (const [key, value] of Object.entries(content as Table)) {
      const field = known[table]![key]
      if (!field)
        return fail([table, key], `unknown key ${key} in [${table}]`, choices(key, Object.keys(known[table]!)))
      const wrong = mismatch(value, field.is)
      if (wrong) fail([table, key], `${key} is ${said(value)}, expected ${wrong}`)
      fields[field.field] = plain(value)
    }
  }
  const main = isTarget ? 'target' : 'service'
  if (!(main in tables)) fail([], 'there is neither [service] nor [target]')
  if (fields.name === undefined) fail([main], 'name is missing')
  const wants = (fields.wants ?? []) as string[]
  if (fields.after) fields.after = (fields.after as string[]).filter((name) => !wants.includes(name))
  const notes: string[] = []
  if (!isTarget) {
    if (fields.exec === undefined) fail([main], 'exec is missing')
    if (String(fields.exec).trim() === '') fail([main, 'exec'], 'exec is empty')
    fields.exec = splittingAt(`${file}:${lineOf(content, [main, 'exec'])}`, () => fromShell(fields.exec as string))
    lifecycle(fields, tables.health as Table | undefined, file, notes, fail)
  }
  return { unit: normalUnit(fields as unknown as Unit, file), notes }
}

type Fail = (path: readonly string[], what: string, hint?: string) => never

const parseTables = (content: string, file: string): Table => {
  try {
    return parse(content, { integersAsBigInt: true })
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')
    throw new ZosError('ZINIT_UNIT', `${file}:${error.line}: ${reason}`, { cause: error })
  }
}

/** Fills in zinit 0.3's own defaults where they differ from ours, and tells a oneshot's gate from a real test. */
const lifecycle = (fields: Table, health: Table | undefined, file: string, notes: string[], fail: Fail): void => {
  const started = fields.startTimeoutMs
  if (fields.oneshot) {
    for (const field of restartFields) {
      if (fields[field] !== undefined && fields[field] !== 'never')
        notes.push(`${file}: ${field} has no effect on a oneshot`)
      delete fields[field]
    }
    const gate = health && Object.entries(oneshotGate).every(([key, value]) => plain(health[key]) === value)
    if (gate) {
      for (const key of Object.keys(health)) checkHealthKey(health, key, fail)
      fields.startTimeoutMs = plain(health.start_period_ms ?? oneshotTimeoutMs)
      return
    }
    if (!health) {
      notes.push(
        `${file}: zinit 0.3 counts a oneshot without [health] as up at once; it is rendered so that its end counts`,
      )
      return
    }
  }
  for (const keys of Object.values(serviceTables)) {
    for (const { field, usual } of Object.values(keys)) {
      const ours = (serviceDefaults as Table)[field]
      if (usual !== undefined && usual !== ours && fields[field] === undefined) {
        if (!fields.oneshot || !restartFields.includes(field)) fields[field] = usual
      }
    }
  }
  fields.startTimeoutMs = started ?? serviceDefaults.startTimeoutMs
  if (health) fields.test = readHealth(health, file, fail)
}

const readHealth = (health: Table, file: string, fail: Fail): Table => {
  for (const key of Object.keys(health)) checkHealthKey(health, key, fail)
  const { type, target } = health
  if (typeof type !== 'string' || !Object.hasOwn(healthKinds, type)) {
    return fail(['health', 'type'], `type is ${said(type)}, expected ${Object.keys(healthKinds).join(', ')}`)
  }
  if (typeof target !== 'string' || target.trim() === '') return fail(['health'], 'target is missing')
  const test: Table = {
    [type]: type === 'exec' ? splittingAt(`${file}: health.target`, () => fromShell(target)) : target,
  }
  if (type === 'http') test.status = plain(health.expect_status ?? testDefaults.status)
  for (const { key, field, usual } of paceKeys) test[field] = plain(health[key] ?? usual)
  return test
}

const checkHealthKey = (health: Table, key: string, fail: Fail): void => {
  if (key === 'type' || key === 'target') return
  const http = health.type === 'http'
  const known = [...paceKeys.map(({ key }) => key as string), ...(http ? ['expect_status'] : [])]
  if (!known.includes(key))
    fail(['health', key], `unknown key ${key} in [health]`, choices(key, ['type', 'target', ...known]))
  const wrong = mismatch(health[key], 'count')
  if (wrong) fail(['health', key], `${key} is ${said(health[key])}, expected ${wrong}`)
}

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate)

/** Whole numbers are read as bigint, so that `1.0`, which zinit refuses, differs from `1`. */
const isCount = (value: unknown): boolean => typeof value === 'bigint' && value >= 0n && value <= 2n ** 53n

const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'bigint' ? Number(value) : value
}

const said = (value: unknown): string =>
  value === undefined ? 'missing' : JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? Number(item) : item))

/** What was expected, if the value is something else. */
const mismatch = (value: unknown, is: ValueKind): string | undefined => {
  const each = (test: (item: unknown) => boolean) => Array.isArray(value) && value.every(test)
  if (is === 'text') return typeof value === 'string' ? undefined : 'text'
  if (is === 'flag') return typeof value === 'boolean' ? undefined : 'true or false'
  if (is === 'count') return isCount(value) ? undefined : 'a whole number'
  if (is === 'texts') return each((item) => typeof item === 'string') ? undefined : 'a list of texts'
  if (is === 'ports') return each(isCount) ? undefined : 'a list of port numbers'
  if (is === 'variables') {
    return isTable(value) && Object.values(value).every((item) => typeof item === 'string')
      ? undefined
      : 'a table of texts'
  }
  return is.includes(value as string) ? undefined : `one of ${is.join(', ')}`
}

const choices = (wrong: string, known: readonly string[]): string => {
  const near = closest(wrong, known)
  return `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}known: ${known.join(', ')}`
}
