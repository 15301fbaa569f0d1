// All problems of a config in one report, each with the dotted path of the option.
import * as v from 'valibot'
import { ExitCode, ZosError } from '../error.js'
import { isRef } from '../model/artifact.js'
import { type Descriptor, isDescriptor } from '../plugin.js'
import { bytesOf } from './bytes.js'
import { didYouMean } from './closest.js'
import type { UserConfig } from './define.js'
import { isSecret } from './values.js'

/** One thing that is wrong. */
export interface Problem {
  /** `plugins.debian.suite`. */
  readonly path: string
  readonly message: string
}

interface ObjectSchema {
  readonly entries?: Record<string, unknown>
  readonly wrapped?: unknown
  readonly options?: unknown
}

const keysOf = (schema: unknown): string[] => {
  const { entries, wrapped, options } = (schema ?? {}) as ObjectSchema
  if (entries) return Object.keys(entries)
  if (wrapped) return keysOf(wrapped)
  return Array.isArray(options) ? options.flatMap(keysOf) : []
}

const childOf = (schema: unknown, key: string): unknown => {
  const { entries, wrapped } = (schema ?? {}) as ObjectSchema
  if (entries) return entries[key]
  return wrapped ? childOf(wrapped, key) : undefined
}

/** The schema of the option at a dotted path, wrappers such as optional removed. */
export const schemaAt = (schema: unknown, path: readonly string[]): { readonly type?: string } => {
  let found = schema
  for (const key of path) found = childOf(found, key)
  while ((found as ObjectSchema | undefined)?.wrapped) found = (found as ObjectSchema).wrapped
  return (found ?? {}) as { type?: string }
}

const show = (value: unknown): string => {
  const text =
    JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? `${member}n` : member)) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

const flatten = (issues: readonly v.BaseIssue<unknown>[]): readonly v.BaseIssue<unknown>[] =>
  issues.flatMap((issue) => (issue.type === 'union' && issue.issues?.length === 1 ? flatten(issue.issues) : [issue]))

/** Checks plain data against a schema; paths start with `at`. */
export const checkValue = (schema: v.GenericSchema, value: unknown, at: string): Problem[] => {
  const outcome = v.safeParse(schema, value)
  return flatten(outcome.issues ?? []).map((issue) => {
    const keys = (issue.path ?? []).map(({ key }) => String(key))
    const path = [at, ...keys].join('.')
    if (issue.expected === 'never' && keys.length > 0) {
      const parent = schemaAtPath(schema, keys.slice(0, -1))
      return { path, message: `unknown option${didYouMean(keys.at(-1)!, keysOf(parent))}` }
    }
    if (issue.received === 'undefined') {
      const { expects } = (schemaAtPath(schema, keys) ?? {}) as { expects?: string }
      return { path, message: `is missing; expected ${expects ?? issue.expected ?? 'a value'}` }
    }
    if (issue.kind === 'schema' && issue.expected && issue.type !== 'custom')
      return { path, message: `expected ${issue.expected}, found ${show(issue.input)}` }
    return { path, message: `${issue.message}${issue.type === 'custom' ? `, found ${show(issue.input)}` : ''}` }
  })
}

const schemaAtPath = (schema: unknown, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((found, key) => childOf(found, key), schema)

/** Options hold plain data; a function, a class instance or a number that JSON cannot hold is a problem. */
const plainProblems = (value: unknown, path: string): Problem[] => {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return []
  if (typeof value === 'number')
    return Number.isFinite(value) ? [] : [{ path, message: `expected a finite number, found ${value}` }]
  if (Array.isArray(value)) return value.flatMap((item, index) => plainProblems(item, `${path}.${index}`))
  if (isDescriptor(value))
    return [{ path, message: `expected a reference such as ${value.id}.…, found the whole plugin` }]
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value)))
    return Object.entries(value).flatMap(([key, item]) => plainProblems(item, `${path}.${key}`))
  const kind = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  return [{ path, message: `expected plain data, found a ${kind}` }]
}

const referenceProblems = (
  value: unknown,
  path: string,
  ids: readonly string[],
  off: ReadonlySet<string>,
): Problem[] => {
  if (isRef(value)) {
    if (ids.includes(value.plugin)) return []
    const why = off.has(value.plugin) ? 'the variant switches that plugin off' : 'no such plugin is in the config'
    return [{ path, message: `refers to ${value.plugin}.${value.slot || value.component}, but ${why}` }]
  }
  if (isSecret(value) || typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => referenceProblems(item, `${path}.${key}`, ids, off))
}

const configSchema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[a-z0-9][a-z0-9._-]*$/, 'expected lower-case letters, digits, "-", "_" and "."'),
    v.maxLength(64, 'expected at most 64 characters'),
  ),
  arch: v.optional(v.picklist(['x86_64', 'aarch64'])),
  plugins: v.array(v.custom<Descriptor>(isDescriptor, 'expected what a plugin factory returns, such as debian({ … })')),
  initramfs: v.optional(
    v.strictObject({
      compression: v.optional(v.picklist(['xz', 'zstd', 'gzip', 'none'])),
      level: v.optional(v.pipe(v.number(), v.integer('expected a whole number'))),
    }),
  ),
  size: v.optional(
    v.strictObject({
      budget: v.optional(
        v.record(
          v.string(),
          v.pipe(
            v.union([v.number(), v.string()], 'expected bytes, or a text such as "15 MB" or "12.5 MiB"'),
            v.check((value) => bytesOf(value) !== undefined, 'expected bytes, or a text such as "15 MB" or "12.5 MiB"'),
          ),
        ),
      ),
    }),
  ),
  toolchain: v.optional(v.custom(isRef, 'expected a reference to a tree, such as tools.root')),
  publish: v.optional(v.array(v.custom(isRef, 'expected a reference to a publish target'))),
})

const idPattern = /^[a-z0-9][a-z0-9._-]*$/

/** Ids are part of step names and of paths in the lock; `core` is the core's own plugin. */
const idProblems = (ids: readonly string[]): Problem[] =>
  [...new Set(ids)].flatMap((id) => {
    const path = `plugins.${id}`
    const another = `give another: factory.as('${id}-2', { … })`
    if (!idPattern.test(id))
      return [{ path, message: 'expected an id of lower-case letters, digits, "-", "_" and "."' }]
    if (id === 'core') return [{ path, message: `this id is the core’s own; ${another}` }]
    if (ids.indexOf(id) !== ids.lastIndexOf(id)) return [{ path, message: `two plugins have this id; ${another}` }]
    return []
  })

const levels = { xz: [0, 9], zstd: [1, 22], gzip: [1, 9], none: undefined } as const

const levelProblems = ({ initramfs }: UserConfig): Problem[] => {
  const { compression = 'xz', level } = initramfs ?? {}
  const range = levels[compression]
  if (typeof level !== 'number' || !range || (level >= range[0] && level <= range[1])) return []
  return [
    { path: 'initramfs.level', message: `expected ${range[0]} to ${range[1]} for ${compression}, found ${level}` },
  ]
}

/** Options as plain data first: what the schema says of a function would say the same again. */
const optionProblems = ({ id, options, definition }: Descriptor): Problem[] => {
  const path = `plugins.${id}`
  // Its author may have written no types.
  if (definition.options?.kind !== 'schema')
    return [
      { path, message: 'its definition has no `options`: expected a valibot schema, v.strictObject({}) for none' },
    ]
  const plain = plainProblems(options, path)
  const isKnown = (at: string): boolean => plain.some((known) => known.path === at || known.path.startsWith(`${at}.`))
  return [...plain, ...checkValue(definition.options, options, path).filter((found) => !isKnown(found.path))]
}

/** Every problem of a merged config. `off`: ids that a variant left out. */
export const problemsOf = (config: UserConfig, off: ReadonlySet<string>): Problem[] => {
  const problems = checkValue(configSchema, config, '').map(({ path, message }) => ({
    path: path.replace(/^\./, ''),
    message,
  }))
  const plugins = Array.isArray(config.plugins) ? config.plugins.filter(isDescriptor) : []
  const ids = plugins.map(({ id }) => id)
  problems.push(...levelProblems(config), ...idProblems(ids))
  for (const plugin of plugins) {
    problems.push(...optionProblems(plugin))
    problems.push(...referenceProblems(plugin.options, `plugins.${plugin.id}`, ids, off))
  }
  problems.push(...referenceProblems(config.toolchain, 'toolchain', ids, off))
  problems.push(...referenceProblems(config.publish ?? [], 'publish', ids, off))
  return problems
}

export const configError = (file: string, problems: readonly Problem[]): ZosError =>
  new ZosError(
    'CONFIG_INVALID',
    `${file}: ${problems.length} problem${problems.length === 1 ? '' : 's'}\n${problems.map(({ path, message }) => `  ${path ? `${path}: ` : ''}${message}`).join('\n')}`,
    { exit: ExitCode.config, data: { file, problems } },
  )
