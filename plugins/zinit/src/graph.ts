import { closest } from '@zos/core'
import type { Unit } from './service.js'

/** Something wrong with a unit; an error stops the build, a warning is said. */
export interface UnitProblem {
  readonly severity: 'error' | 'warning'
  readonly code: string
  /** The unit's name. */
  readonly unit: string
  readonly message: string
  readonly hint?: string
}

/** Everything that is wrong with the units of one image as a graph, sorted by unit. */
export const graphProblems = (units: readonly Unit[]): UnitProblem[] => {
  const names = new Set(units.map(({ name }) => name))
  const problems = [...missing(units, names), ...contradictions(units), ...cycles(units, names)]
  return problems.sort((a, b) => (a.unit < b.unit ? -1 : a.unit > b.unit ? 1 : 0))
}

const missing = function* (units: readonly Unit[], names: ReadonlySet<string>): Generator<UnitProblem> {
  for (const unit of units) {
    const reported = new Set<string>()
    for (const field of ['requires', 'after', 'wants', 'conflicts'] as const) {
      for (const other of unit[field] ?? []) {
        if (names.has(other) || reported.has(other)) continue
        reported.add(other)
        const near = closest(other, names)
        const needed = field === 'requires' || field === 'after'
        if (!needed && near.length === 0) continue
        yield {
          severity: needed ? 'error' : 'warning',
          code: 'ZINIT_MISSING_UNIT',
          unit: unit.name,
          message: `${field} names ${other}, but no unit of the image is called that`,
          hint:
            near.length > 0 ? `did you mean ${near.join(', ')}?` : `add the unit ${other}, or take it out of ${field}`,
        }
      }
    }
  }
}

const contradictions = function* (units: readonly Unit[]): Generator<UnitProblem> {
  for (const unit of units) {
    for (const other of unit.conflicts ?? []) {
      if (other === unit.name || unit.requires?.includes(other)) {
        yield {
          severity: 'error',
          code: 'ZINIT_CONTRADICTION',
          unit: unit.name,
          message: other === unit.name ? 'conflicts with itself' : `requires ${other} and conflicts with it`,
          hint: 'it could never start: take the name out of one of the two',
        }
      }
    }
  }
}

/**
 * One problem for each group of units that wait for each other: the shortest way round from the group's first name,
 * as `a → b → a`, where each waits for the next. zinit 0.3 refuses the whole graph for one; 0.2 waits for ever.
 */
const cycles = function* (units: readonly Unit[], names: ReadonlySet<string>): Generator<UnitProblem> {
  const waits = new Map<string, readonly string[]>()
  for (const { name, requires = [], after = [], wants = [] } of units) {
    const others = new Set([...requires, ...after, ...wants].filter((other) => names.has(other)))
    waits.set(name, [...others].sort())
  }
  const done = new Set<string>()
  for (const start of [...names].sort()) {
    if (done.has(start)) continue
    const path = wayBack(start, waits)
    if (!path) continue
    for (const name of group(start, waits)) done.add(name)
    yield {
      severity: 'error',
      code: 'ZINIT_CYCLE',
      unit: start,
      message: `units wait for each other: ${[...path, start].join(' → ')}`,
      hint: 'take one of these names out of requires, after or wants of the unit before it',
    }
  }
}

/** The shortest path from `start` back to it, without its end; breadth first, names in order. */
const wayBack = (start: string, waits: ReadonlyMap<string, readonly string[]>): string[] | undefined => {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const name of queue) {
    for (const next of waits.get(name) ?? []) {
      if (next === start) {
        const path = [name]
        while (path[0] !== start) path.unshift(cameFrom.get(path[0]!)!)
        return path
      }
      if (cameFrom.has(next)) continue
      cameFrom.set(next, name)
      queue.push(next)
    }
  }
  return undefined
}

/** The names that `start` waits for, directly or not, and that wait for it. */
const group = (start: string, waits: ReadonlyMap<string, readonly string[]>): string[] => {
  const reached = reachable(start, waits)
  return [...reached].filter((name) => reachable(name, waits).has(start))
}

const reachable = (start: string, waits: ReadonlyMap<string, readonly string[]>): Set<string> => {
  const found = new Set<string>()
  const queue = [start]
  for (const name of queue) {
    for (const next of waits.get(name) ?? []) {
      if (found.has(next)) continue
      found.add(next)
      queue.push(next)
    }
  }
  return found
}
