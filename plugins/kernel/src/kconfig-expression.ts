import type { KernelConfig } from './kernel-config.js'

/** A tristate as a number, so that `&&` is the lesser and `||` the greater of two. */
export type Level = 0 | 1 | 2
const levels: ReadonlyMap<string, Level> = new Map([
  ['n', 0],
  ['m', 1],
  ['y', 2],
])

const token = /\s*(&&|\|\||!=|<=|>=|[!=<>()]|"[^"]*"|'[^']*'|\$\([^()]*(?:\([^()]*\)[^()]*)*\)|[A-Za-z0-9_.-]+)/y

const tokens = (expression: string): string[] => {
  const found: string[] = []
  token.lastIndex = 0
  for (let match = token.exec(expression); match; match = token.exec(expression)) found.push(match[1]!)
  return found
}

/** Names of the symbols in an expression. */
export const symbolsIn = (expression: string): string[] => [
  ...new Set(tokens(expression).filter((word) => /^[A-Z0-9_]*[A-Z][A-Z0-9_]*$/i.test(word) && !levels.has(word))),
]

/**
 * What an expression of Kconfig is in a config. What the shell or the compiler would have to be asked for (`$(…)`) counts
 * as fulfilled: it is not what a person can change.
 */
export const evaluate = (expression: string, config: KernelConfig): Level => {
  const words = tokens(expression)
  let at = 0
  const text = (word: string): string =>
    /^["']/.test(word)
      ? word.slice(1, -1)
      : levels.has(word)
        ? word
        : (config.get(`CONFIG_${word}`)?.replace(/^"(.*)"$/, '$1') ?? 'n')
  const primary = (): Level => {
    const word = words[at++] ?? 'n'
    if (word === '!') return (2 - primary()) as Level
    if (word === '(') {
      const inner = either()
      at++
      return inner
    }
    const operator = words[at]
    if (operator !== undefined && /^(=|!=|<=|>=|<|>)$/.test(operator)) {
      at++
      const [left, right] = [text(word), text(words[at++] ?? 'n')]
      return compare(left, operator, right) ? 2 : 0
    }
    if (word.startsWith('$(')) return 2
    return levels.get(text(word)) ?? 0
  }
  const both = (): Level => {
    let level = primary()
    while (words[at] === '&&') {
      at++
      level = Math.min(level, primary()) as Level
    }
    return level
  }
  const either = (): Level => {
    let level = both()
    while (words[at] === '||') {
      at++
      level = Math.max(level, both()) as Level
    }
    return level
  }
  return either()
}

const compare = (left: string, operator: string, right: string): boolean => {
  if (operator === '=') return left === right
  if (operator === '!=') return left !== right
  const [a, b] = [Number(left), Number(right)]
  return { '<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b }[operator] ?? false
}

/** The parts of an expression that are joined by `&&` outside of all parentheses. */
export const conjuncts = (expression: string): string[] => {
  const words = tokens(expression)
  const parts: string[][] = [[]]
  let depth = 0
  for (const word of words) {
    if (word === '(') depth++
    if (word === ')') depth--
    if (depth === 0 && word === '||') return [expression.trim()]
    if (depth === 0 && word === '&&') parts.push([])
    else parts.at(-1)!.push(word)
  }
  return parts.map((part) => part.join(' ').replaceAll('( ', '(').replaceAll(' )', ')').replaceAll('! ', '!'))
}
