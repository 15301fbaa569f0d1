import { ExitCode, ZosError } from '../error.js'
import type { Descriptor } from '../plugin.js'
import { schemaAt } from './check.js'

type Environment = Readonly<Record<string, string | undefined>>

/** `true|false|1|0`; anything else is an error that names the variable. */
export const booleanOf = (name: string, value: string): boolean => {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new ZosError('ENV_BOOLEAN', `${name}=${value}: expected true, false, 1 or 0`, { exit: ExitCode.config })
}

const numberOf = (name: string, value: string): number => {
  const number = Number(value)
  if (value.trim() !== '' && Number.isFinite(number)) return number
  throw new ZosError('ENV_NUMBER', `${name}=${value}: expected a number`, { exit: ExitCode.config })
}

const set = (target: unknown, [key, ...rest]: readonly string[], value: unknown): unknown => {
  if (key === undefined) return value
  const object = (typeof target === 'object' && target !== null ? target : {}) as Record<string, unknown>
  return { ...object, [key]: set(object[key], rest, value) }
}

/** A descriptor with the environment's overrides in its options, and the variables that did it. */
export const override = (
  descriptor: Descriptor,
  env: Environment,
): { descriptor: Descriptor; by: readonly string[] } => {
  let { options } = descriptor
  const by: string[] = []
  for (const [name, path] of Object.entries(descriptor.definition.env ?? {})) {
    const text = env[name]
    if (text === undefined || text === '') continue
    const keys = path.split('.')
    const { type } = schemaAt(descriptor.definition.options, keys)
    const value = type === 'boolean' ? booleanOf(name, text) : type === 'number' ? numberOf(name, text) : text
    options = set(options, keys, value)
    by.push(name)
  }
  return by.length === 0 ? { descriptor, by } : { descriptor: { ...descriptor, options }, by }
}
