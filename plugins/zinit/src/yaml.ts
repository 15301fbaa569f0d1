import { closest, ZosError } from '@zos/core'
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { normalUnit, signalName } from './normal.js'
import { maxUnitBytes, type ReadUnit, type Service } from './service.js'

const keys = ['exec', 'test', 'oneshot', 'shutdown_timeout', 'after', 'signal', 'log', 'env', 'dir', 'needs', 'wants']

/**
 * Reads one YAML unit as zinit 0.2 does (`src/zinit/config.rs` of its repository), but strictly: an unknown key, a
 * value of another type or a second document throws `ZINIT_UNIT` with file and line. The unit's name is that of the
 * file without `.yaml`.
 *
 * 0.2's `after` waits until the other is up and for ever if there is none: that is `requires` as well as `after`.
 * The classic keys `needs` and `wants`, which 0.2 itself ignores, are understood and reported in `notes`.
 */
export const readYaml = (content: string, file: string): ReadUnit<Service> => {
  if (content.length > maxUnitBytes) {
    throw new ZosError('ZINIT_UNIT', `${file}: ${content.length} characters, at most ${maxUnitBytes} are allowed`)
  }
  const lines = new LineCounter()
  const fail = (offset: number, what: string, hint?: string): never => {
    const at = `${file}:${lines.linePos(offset).line}`
    throw new ZosError('ZINIT_UNIT', `${at}: ${what}`, hint === undefined ? {} : { hint })
  }
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const problem = document.errors[0] ?? document.warnings[0]
  if (problem) fail(problem.pos[0], problem.message)
  const root = document.contents
  if (!isMap(root)) return fail(0, 'the unit is no mapping of keys to values')

  const notes: string[] = []
  const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.yaml$/, '')
  const fields: Record<string, unknown> = { kind: 'service', name }
  const reader = new Values(fail)
  let needs: string[] = []
  let after: string[] = []
  for (const { key, value, offset } of reader.pairs(root)) {
    if (key === 'exec' || key === 'dir') fields[key] = reader.text(value, key, offset)
    else if (key === 'test') fields.test = { exec: reader.text(value, key, offset) }
    else if (key === 'oneshot') fields.oneshot = reader.flag(value, key, offset)
    else if (key === 'shutdown_timeout') fields.stopTimeoutMs = reader.seconds(value, key, offset) * 1000
    else if (key === 'after') after = reader.texts(value, key, offset)
    else if (key === 'needs') needs = reader.texts(value, key, offset)
    else if (key === 'wants') fields.wants = reader.texts(value, key, offset)
    else if (key === 'signal') fields.stopSignal = reader.signal(value, offset)
    else if (key === 'log') fields.log = reader.log(value, offset)
    else if (key === 'env') fields.env = reader.variables(value, key, offset)
    else {
      const near = closest(key, keys)
      fail(
        offset,
        `unknown key ${key}`,
        `${near.length > 0 ? `did you mean ${near.join(', ')}? ` : ''}known: ${keys.join(', ')}`,
      )
    }
  }
  if (fields.exec === undefined) fail(root.range?.[0] ?? 0, 'exec is missing')
  if (needs.length > 0)
    notes.push(`${file}: needs is no key of zinit: it is rendered to after (YAML) or requires (TOML)`)
  if (fields.wants) notes.push(`${file}: wants is no key of zinit 0.2: it is rendered to after (YAML) or wants (TOML)`)
  if (fields.oneshot && fields.test) {
    notes.push(`${file}: zinit 0.2 never runs the test of a oneshot: it is left out`)
    delete fields.test
  }
  if (after.length > 0) fields.after = after
  if (after.length + needs.length > 0) fields.requires = [...after, ...needs]
  return { unit: normalUnit(fields as unknown as Service, file), notes }
}

type Fail = (offset: number, what: string, hint?: string) => never

/** Typed values out of YAML nodes; what does not fit goes to `fail` with its offset. */
class Values {
  constructor(private readonly fail: Fail) {}

  pairs(map: YAMLMap): { key: string; value: Node | null; offset: number }[] {
    return map.items.map((pair: Pair) => {
      const key = pair.key as Node
      const offset = key.range?.[0] ?? 0
      if (!isScalar(key) || typeof key.value !== 'string') return this.fail(offset, 'a key is no text')
      return { key: key.value, value: pair.value as Node | null, offset }
    })
  }

  text(node: Node | null, key: string, offset: number): string {
    const value = this.scalar(node, key, offset)
    if (typeof value === 'string') return value
    return this.fail(
      offset,
      `${key} is ${said(value)}, expected text`,
      `put it into quotes: ${key}: "${String(value)}"`,
    )
  }

  flag(node: Node | null, key: string, offset: number): boolean {
    const value = this.scalar(node, key, offset)
    return typeof value === 'boolean' ? value : this.fail(offset, `${key} is ${said(value)}, expected true or false`)
  }

  seconds(node: Node | null, key: string, offset: number): number {
    const value = this.scalar(node, key, offset)
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 86_400) return value
    return this.fail(offset, `${key} is ${said(value)}, expected whole seconds from 1 to 86400`)
  }

  texts(node: Node | null, key: string, offset: number): string[] {
    if (!isSeq(node)) return this.fail(offset, `${key} is no list`, `write ${key}: [name, …] or leave the key out`)
    return node.items.map((item) => this.text(item as Node, `an item of ${key}`, (item as Node).range?.[0] ?? offset))
  }

  variables(node: Node | null, key: string, offset: number): Record<string, string> {
    if (!isMap(node)) return this.fail(offset, `${key} is no mapping of names to values`)
    const found: [string, string][] = []
    for (const pair of this.pairs(node)) found.push([pair.key, this.text(pair.value, pair.key, pair.offset)])
    return Object.fromEntries(found)
  }

  signal(node: Node | null, offset: number): string {
    if (!isMap(node)) return this.fail(offset, 'signal is no mapping', 'write signal: { stop: SIGINT }')
    let stop = 'SIGTERM'
    for (const pair of this.pairs(node)) {
      if (pair.key !== 'stop') this.fail(pair.offset, `unknown key signal.${pair.key}`, 'known: stop')
      const text = this.text(pair.value, 'signal.stop', pair.offset)
      const name = signalName(text)
      if (!name || !/^sig/i.test(text) || /\d$/.test(text.replace(/usr[12]$/i, ''))) {
        this.fail(pair.offset, `signal.stop is ${text}, expected the full name of a signal, such as SIGINT`)
      }
      stop = name!
    }
    return stop
  }

  log(node: Node | null, offset: number): 'none' | 'ring' | 'stdout' {
    const value = this.scalar(node, 'log', offset)
    if (value === 'none' || value === 'ring' || value === 'stdout') return value
    return this.fail(
      offset,
      `log is ${said(value)}, expected none, ring or stdout`,
      value === null ? 'null is spelt none' : undefined,
    )
  }

  private scalar(node: Node | null, key: string, offset: number): unknown {
    if (isAlias(node)) return this.fail(offset, `${key} is an alias`, 'write the value itself')
    if (node === null) return null
    return isScalar(node) ? node.value : this.fail(offset, `${key} is a list or a mapping, expected one value`)
  }
}

const said = (value: unknown): string => (value === null ? 'empty' : (JSON.stringify(value) ?? String(value)))
