import { ZosError } from '@zos/core'

/** The fields of a module's `.modinfo` by key, in the order of the file; keys repeat (`alias`, `firmware`, `softdep`). */
export type Modinfo = ReadonlyMap<string, readonly string[]>

const fieldLimit = 1_000_000

/** Reads the content of an ELF section `.modinfo`: `key=value` pairs, each ended by a zero byte. */
export const parseModinfo = (section: Uint8Array): Modinfo => {
  const fields = new Map<string, string[]>()
  for (const pair of pairsOf(decode(section))) append(fields, pair)
  return fields
}

/**
 * Reads `modules.builtin.modinfo` (`MODULE.key=value`, each ended by a zero byte): the fields of what is built in, by
 * the module's name as written there.
 */
export const parseBuiltinModinfo = (content: Uint8Array): Map<string, Modinfo> => {
  const modules = new Map<string, Map<string, string[]>>()
  for (const pair of pairsOf(decode(content))) {
    const dot = pair.indexOf('.')
    if (dot < 1)
      throw new ZosError(
        'KERNEL_MODINFO',
        `modules.builtin.modinfo: ${JSON.stringify(pair.slice(0, 80))}, expected NAME.KEY=VALUE`,
      )
    const name = pair.slice(0, dot)
    const fields = modules.get(name) ?? new Map<string, string[]>()
    modules.set(name, fields)
    append(fields, pair.slice(dot + 1))
  }
  return modules
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const pairsOf = (text: string): string[] => {
  const pairs = text.split('\0').filter((pair) => pair !== '')
  if (pairs.length > fieldLimit)
    throw new ZosError('KERNEL_MODINFO', `more than ${fieldLimit} fields of module information`)
  return pairs
}

const append = (fields: Map<string, string[]>, pair: string): void => {
  const equals = pair.indexOf('=')
  // A value may hold zero bytes of its own in no known module; what has no key is the rest of a damaged section.
  if (equals < 1)
    throw new ZosError('KERNEL_MODINFO', `module information ${JSON.stringify(pair.slice(0, 80))}, expected KEY=VALUE`)
  const key = pair.slice(0, equals)
  const values = fields.get(key)
  if (values) values.push(pair.slice(equals + 1))
  else fields.set(key, [pair.slice(equals + 1)])
}
