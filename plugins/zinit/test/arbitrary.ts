import * as fc from 'fast-check'
import { normalUnit } from '../dist/normal.js'
import type { Service, Target, Test, Unit } from '../dist/service.js'
import { joinWords } from '../dist/words.js'

const name = fc.string({ unit: fc.constantFrom(...'abyno0.-_'), minLength: 1, maxLength: 6 })
const names = fc.array(name, { maxLength: 3 })
const text = fc.string({ unit: fc.constantFrom(...`ab1/-_ \t\n'"\\$\`*:#,{}[]&~=é|>%@!`), minLength: 1, maxLength: 10 })
const command = fc
  .tuple(fc.constantFrom('/bin/sh', 'prog', '/sbin/x-y'), fc.array(text, { maxLength: 3 }))
  .map(([program, args]) => joinWords([program, ...args]))
const ms = fc.integer({ min: 1, max: 300_000 })
const env = fc.dictionary(fc.constantFrom('A', 'y', 'on', 'NULL', 'null', 'HOME_1'), fc.oneof(text, fc.constant('')), {
  maxKeys: 3,
})

const test = fc
  .tuple(
    fc.oneof(
      command.map((exec) => ({ exec })),
      fc.constant({ tcp: 'localhost:80' }),
      fc.record({ http: fc.constant('http://localhost/'), status: fc.constantFrom(200, 204) }),
    ),
    fc.record(
      { intervalMs: ms, timeoutMs: ms, retries: fc.integer({ min: 1, max: 1000 }), startPeriodMs: ms },
      { requiredKeys: [] },
    ),
  )
  .map(([kind, pace]) => ({ ...kind, ...pace }) as Test)

const order = { requires: names, after: names, wants: names, conflicts: names }

/** Services with any fields that zinit 0.3 knows. */
export const tomlService: fc.Arbitrary<Service> = fc
  .record(
    {
      ...order,
      kind: fc.constant('service' as const),
      name,
      exec: command,
      oneshot: fc.boolean(),
      dir: text.map((path) => `/${path}`),
      env,
      test,
      restart: fc.constantFrom('always', 'on-failure', 'never'),
      restartDelayMs: ms,
      maxRestarts: fc.integer({ min: 0, max: 20 }),
      stabilityPeriodMs: ms,
      startTimeoutMs: ms,
      stopTimeoutMs: ms,
      stopSignal: fc.constantFrom('SIGTERM', 'int', '9', 'sigusr1'),
      logLines: fc.integer({ min: 1, max: 5000 }),
      logFile: text,
      status: fc.constantFrom('start', 'stop', 'ignore'),
      class: fc.constantFrom('user', 'system'),
      critical: fc.boolean(),
      ports: fc.array(fc.integer({ min: 1, max: 65535 }), { maxLength: 3 }),
      killOthers: fc.boolean(),
      processFilters: fc.array(text, { maxLength: 2 }),
    },
    { requiredKeys: ['kind', 'name', 'exec'] },
  )
  .map((fields) => {
    const service = fields as Service
    if (!service.oneshot) return service
    const { restart, restartDelayMs, maxRestarts, stabilityPeriodMs, ...rest } = service
    return rest
  })

export const target: fc.Arbitrary<Target> = fc.record(
  { ...order, kind: fc.constant('target' as const), name, critical: fc.boolean() },
  { requiredKeys: ['kind', 'name'] },
) as fc.Arbitrary<Target>

/** Services as zinit 0.2 can say them: what is required is also what it comes after, and nothing is only wanted. */
export const yamlService: fc.Arbitrary<Service> = fc
  .record(
    {
      kind: fc.constant('service' as const),
      name,
      exec: command,
      after: names,
      oneshot: fc.boolean(),
      dir: text.map((path) => `/${path}`),
      env,
      test: command.map((exec) => ({ exec })),
      stopTimeoutMs: fc.integer({ min: 1, max: 600 }).map((seconds) => seconds * 1000),
      stopSignal: fc.constantFrom('SIGTERM', 'SIGINT', 'SIGUSR2'),
      log: fc.constantFrom('ring', 'none', 'stdout'),
    },
    { requiredKeys: ['kind', 'name', 'exec'] },
  )
  .map((fields) => {
    const service = { ...fields, ...(fields.after && { requires: fields.after }) } as Service
    if (!service.oneshot) return service
    const { test, ...rest } = service
    return rest
  })

export const normal = <U extends Unit>(unit: U): U => normalUnit(unit, 'generated')
