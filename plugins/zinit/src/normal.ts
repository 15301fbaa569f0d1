import { ZosError } from '@zos/core'
import { oneshotTimeoutMs, type Service, serviceDefaults, type Target, testDefaults, type Unit } from './service.js'
import { joinWords, splittingAt, splitWords } from './words.js'

const signals =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  )

/** `SIGTERM` for `SIGTERM`, `sigterm`, `term` and `15`; `undefined` for what is no signal of Linux. */
export const signalName = (text: string): string | undefined => {
  const name = text.toUpperCase().replace(/^SIG/, '')
  const found = /^\d+$/.test(name) ? signals[Number(name) - 1] : signals.find((signal) => signal === name)
  return found && `SIG${found}`
}

const limits: Partial<Record<keyof Service, [low: number, high: number]>> = {
  restartDelayMs: [1, 86_400_000],
  restartDelayMaxMs: [1, 86_400_000],
  maxRestarts: [0, 1_000_000],
  stabilityPeriodMs: [0, 86_400_000],
  startTimeoutMs: [1, 86_400_000],
  stopTimeoutMs: [1, 86_400_000],
  logLines: [1, 1_000_000],
}

const testLimits = {
  intervalMs: [1, 86_400_000],
  timeoutMs: [1, 86_400_000],
  retries: [1, 1_000_000],
  startPeriodMs: [0, 86_400_000],
  status: [100, 599],
} as const

/** Control characters have no place in a unit, but for tab and line feed; half a surrogate pair is no text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const bad = /[\u0000-\u0008\u000b-\u001f\u007f]|\p{Surrogate}/u

const nameRule = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * The normal form of a unit: defaults left out, lists sorted and without doubles, command lines and the signal in one
 * spelling; what is needed is not also wanted. A value that no zinit could use throws `ZINIT_UNIT`; `where` is a file, or where in the config it is.
 */
export const normalUnit = <U extends Unit>(unit: U, where: string): U => {
  const fail = (what: string, hint?: string): never => {
    throw new ZosError('ZINIT_UNIT', `${where}: ${what}`, { subject: unit.name, ...(hint && { hint }) })
  }
  if (!nameRule.test(unit.name)) {
    fail(`the name ${JSON.stringify(unit.name)} is not 1 to 64 of ASCII letters, digits, - _ .`)
  }
  const result: Record<string, unknown> = { kind: unit.kind, name: unit.name }
  for (const field of ['requires', 'after', 'wants', 'conflicts'] as const) {
    const list = unit[field] ?? []
    if (list.length > 256) fail(`${field} names ${list.length} units, at most 256 are allowed`)
    for (const name of list) {
      if (!nameRule.test(name)) fail(`${field} holds ${JSON.stringify(name)}, which is no unit's name`)
    }
    if (list.length > 0) result[field] = [...new Set(list)].sort()
  }
  const needed = new Set([...(unit.requires ?? []), ...(unit.after ?? [])])
  const wants = (result.wants as string[] | undefined)?.filter((name) => !needed.has(name))
  if (wants && wants.length > 0) result.wants = wants
  else delete result.wants
  if (unit.kind === 'target') {
    if (unit.critical) result.critical = true
    return result as unknown as Target as U
  }
  normalService(unit, result, where, fail)
  return result as unknown as U
}

const normalService = (
  service: Service,
  result: Record<string, unknown>,
  where: string,
  fail: (what: string, hint?: string) => never,
): void => {
  const text = (field: string, value: string, most = 4096): string => {
    if (value === '') fail(`${field} is empty`)
    if (value.length > most) fail(`${field} has ${value.length} characters, at most ${most} are allowed`)
    if (bad.test(value)) fail(`${field} holds a control character: ${JSON.stringify(value)}`)
    return value
  }
  const command = (field: string, value: string): string => {
    const words = splittingAt(`${where}: ${field}`, () => splitWords(text(field, value)))
    if (words.length === 0 || words[0] === '') fail(`${field} names no program: ${JSON.stringify(value)}`)
    return joinWords(words)
  }
  const range = (field: string, value: number, [low, high]: readonly [number, number]): void => {
    if (!Number.isInteger(value) || value < low || value > high) {
      fail(`${field} is ${value}, expected a whole number from ${low} to ${high}`)
    }
  }
  const defaults: Partial<Service> = serviceDefaults
  const { kind, name, exec, test, env, ports, processFilters, requires, after, wants, conflicts, ...rest } = service
  result.exec = command('exec', exec)
  for (const [field, value] of Object.entries(rest) as [keyof Service, unknown][]) {
    if (value === undefined) continue
    const limit = limits[field]
    let normal = value
    if (limit) range(field, value as number, limit)
    if (field === 'stopSignal')
      normal = signalName(value as string) ?? fail(`stopSignal ${value} is no signal of Linux`)
    if (field === 'dir' || field === 'logFile' || field === 'logForward') text(field, value as string)
    if (field === 'dir' && !(value as string).startsWith('/')) fail(`dir ${value} is not absolute`)
    const usual = field === 'startTimeoutMs' && service.oneshot ? oneshotTimeoutMs : defaults[field]
    if (normal !== usual) result[field] = normal
  }
  for (const field of ['restart', 'restartDelayMs', 'restartDelayMaxMs', 'maxRestarts', 'stabilityPeriodMs'] as const) {
    if (service.oneshot && field in result) fail(`${field} has no meaning for a oneshot, which never starts again`)
  }
  const first = service.restartDelayMs ?? serviceDefaults.restartDelayMs
  const last = service.restartDelayMaxMs ?? serviceDefaults.restartDelayMaxMs
  if (last < first) fail(`restartDelayMaxMs ${last} is less than restartDelayMs ${first}`)
  const names = Object.keys(env ?? {}).sort()
  if (names.length > 256) fail(`env has ${names.length} variables, at most 256 are allowed`)
  for (const variable of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(variable))
      fail(`env holds ${JSON.stringify(variable)}, no variable's name`)
    if (env![variable] !== '') text(`env.${variable}`, env![variable]!, 16_384)
  }
  if (names.length > 0) result.env = Object.fromEntries(names.map((variable) => [variable, env![variable]!]))
  if (test) {
    const { exec: line, tcp, http, ...pace } = test as { exec?: string; tcp?: string; http?: string }
    const normal: Record<string, unknown> = {}
    if ([line, tcp, http].filter((kind) => kind !== undefined).length !== 1) fail('test needs one of exec, tcp, http')
    if (line !== undefined) normal.exec = command('test.exec', line)
    if (tcp !== undefined) normal.tcp = text('test.tcp', tcp)
    if (http !== undefined) normal.http = text('test.http', http)
    for (const [field, value] of Object.entries(pace) as [keyof typeof testDefaults, number | undefined][]) {
      if (value === undefined) continue
      if (field === 'status' && http === undefined) fail('test.status belongs to a test of kind http')
      range(`test.${field}`, value, testLimits[field])
      if (value !== testDefaults[field]) normal[field] = value
    }
    result.test = normal
  }
  for (const port of ports ?? []) range('ports', port, [1, 65_535])
  if (ports && ports.length > 0) result.ports = [...new Set(ports)].sort((a, b) => a - b)
  for (const filter of processFilters ?? []) text('processFilters', filter, 256)
  if (processFilters && processFilters.length > 0) result.processFilters = [...new Set(processFilters)].sort()
}
