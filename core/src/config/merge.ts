import { isRef } from '../model/artifact.js'
import type { Descriptor } from '../plugin.js'
import type { Problem } from './check.js'
import { didYouMean } from './closest.js'
import type { UserConfig, VariantConfig } from './define.js'

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRef(value) && !('$' in value)

/** Objects merge, arrays, references and scalars replace; `undefined` takes a member away. */
export const mergeOptions = (base: unknown, changes: unknown): unknown => {
  if (!isPlain(base) || !isPlain(changes)) return changes
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) delete merged[key]
    else merged[key] = mergeOptions(base[key], value)
  }
  return merged
}

/** The base with a variant's changes on top; `off` collects the plugins that it leaves out. */
export const applyVariant = (
  config: UserConfig,
  variant: VariantConfig<readonly Descriptor[]>,
  off: Set<string>,
  problems: Problem[],
): UserConfig => {
  const {
    plugins: changes = {},
    env: _,
    ...rest
  } = variant as VariantConfig<readonly Descriptor[]> & {
    plugins?: Record<string, unknown>
  }
  // A base without a list of plugins is told so by the check.
  if (!Array.isArray(config.plugins)) return mergeOptions(config, rest) as UserConfig
  const ids = config.plugins.map(({ id }) => id)
  for (const id of Object.keys(changes)) {
    if (!ids.includes(id))
      problems.push({ path: `plugins.${id}`, message: `the base has no such plugin${didYouMean(id, ids)}` })
  }
  const plugins = config.plugins.flatMap((descriptor): Descriptor[] => {
    const change = (changes as Record<string, unknown>)[descriptor.id]
    if (change === undefined) return [descriptor]
    if (change === false) {
      off.add(descriptor.id)
      return []
    }
    return [{ ...descriptor, options: mergeOptions(descriptor.options, change) }]
  })
  return { ...(mergeOptions({ ...config, plugins: [] }, rest) as UserConfig), plugins }
}
