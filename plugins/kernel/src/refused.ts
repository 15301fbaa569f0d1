// Lines of configs and wishes that the kernel did not take, each with the reason that its Kconfig files give.
import { closest } from '@zos/core'
import type { Kconfig } from './kconfig.js'
import { conjuncts, evaluate, symbolsIn } from './kconfig-expression.js'
import type { KernelConfig } from './kernel-config.js'

/** What somebody wants of the config. */
export interface ConfigLine {
  readonly symbol: string
  /** `n` for what is not to be set. */
  readonly value: string
  /** Who: `config/virtio.config:12`, or a plugin. */
  readonly by: string
}

export interface Refused extends ConfigLine {
  readonly found: string
}

/** What was asked for and is not there; of several lines for one symbol the last counts. `m` is fulfilled by `y`. */
export const refusedLines = (lines: readonly ConfigLine[], config: KernelConfig): Refused[] =>
  [...new Map(lines.map((line) => [line.symbol, line])).values()].flatMap((line) => {
    const found = config.get(line.symbol) ?? 'n'
    return found === line.value || (line.value === 'm' && found === 'y') ? [] : [{ ...line, found }]
  })

/** One line for people: who wants what, what is there, and why. */
export const explainRefused = (line: Refused, kconfig: Kconfig, config: KernelConfig): string =>
  `${line.by}: ${line.symbol}=${line.value} is not taken (it is ${line.found}): ${reason(line, kconfig, config)}`

const reason = ({ symbol, value, found }: Refused, { symbols, selects }: Kconfig, config: KernelConfig): string => {
  const name = symbol.replace(/^CONFIG_/, '')
  const definitions = symbols.get(name)
  if (!definitions) {
    const [near] = closest(name, symbols.keys(), 1)
    return `this kernel has no such symbol${near === undefined ? '' : `; did you mean CONFIG_${near}?`}`
  }
  const [{ type, file, line }] = definitions as [(typeof definitions)[0]]
  const place = `${file}:${line}`
  const wanted = value === 'y' ? 2 : value === 'm' ? 1 : 0
  const selecting = (selects.get(name) ?? []).filter(
    ({ by, condition }) => config.has(`CONFIG_${by}`) && (condition === undefined || evaluate(condition, config) > 0),
  )
  if (value === 'n' && selecting.length > 0) return `${selecting.map(({ by }) => by).join(', ')} selects it`
  if (value === 'm' && type === 'bool') return `it is a bool, y or n (${place})`
  const unmet = definitions.map(({ depends }) =>
    depends.flatMap(conjuncts).filter((part) => evaluate(part, config) < Math.max(wanted, 1)),
  )
  // Where there are several definitions, one whose conditions hold is enough.
  const [least = []] = [...unmet].sort((a, b) => a.length - b.length)
  if (least.length > 0)
    return `needs ${[...new Set(least)].map((part) => withValues(part, config)).join(' and ')} (${place})`
  if (!definitions.some(({ hasPrompt }) => hasPrompt)) {
    const by = (selects.get(name) ?? []).map((select) => select.by)
    return `it cannot be set by hand${by.length > 0 ? `, only selected: by ${[...new Set(by)].slice(0, 6).join(', ')}` : ''} (${place})`
  }
  if (value !== 'n' && found !== 'n') return `its range or another line says otherwise (${place})`
  return `another choice is made, or the toolchain cannot do it (${place})`
}

/** `PCI` → `PCI (n)`, `NET && !BROKEN` with what its symbols are. */
const withValues = (part: string, config: KernelConfig): string => {
  const said = symbolsIn(part).map((name) => `${name}=${config.get(`CONFIG_${name}`) ?? 'n'}`)
  return `${part}${said.length > 0 ? `, where ${said.join(', ')}` : ''}`
}
