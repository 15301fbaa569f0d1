import { type Ref, refOption } from '@zos/core'
import * as v from 'valibot'
import type { Dialect } from './render.js'
import type { Service, Target } from './service.js'

/** A unit in the config: a service or a target, without its name, which is its key. */
export type UnitOptions = Omit<Service, 'kind' | 'name'> | (Omit<Target, 'kind' | 'name'> & { readonly target: true })

/** Which zinit runs in the image: at least one of both says which unit files it reads. */
export interface ZinitOptions {
  /** The component that zinit is: its fact `version` says which unit files it reads. */
  readonly program?: Ref
  /** The unit files that zinit reads, where no component says so: YAML up to 0.2, TOML from 0.3 on. */
  readonly dialect?: Dialect
  /**
   * A folder with one unit a file (`*.yaml` of zinit 0.2, `*.toml` of 0.3, mixed as you like) and its scripts in
   * `init/`, which go to `/etc/zinit/init/`; or the units themselves by name.
   */
  readonly services: string | Readonly<Record<string, UnitOptions>>
  /** Path of the script that becomes `/init`. */
  readonly init: string
  /**
   * Where the root file system lives: copied into a tmpfs of its own (default), or in place where the kernel unpacked
   * it, which needs half the memory.
   */
  readonly root?: 'tmpfs' | 'in-place'
  /** Limit of that tmpfs as `mount` takes it: bytes with k, m or g, or a percentage of the memory. Default: 1536m. */
  readonly rootSize?: string
}

const names = v.array(v.string())
const order = {
  requires: v.exactOptional(names),
  after: v.exactOptional(names),
  wants: v.exactOptional(names),
  conflicts: v.exactOptional(names),
}
const pace = {
  intervalMs: v.exactOptional(v.number()),
  timeoutMs: v.exactOptional(v.number()),
  retries: v.exactOptional(v.number()),
  startPeriodMs: v.exactOptional(v.number()),
}
const test = v.union(
  [
    v.strictObject({ exec: v.string(), ...pace }),
    v.strictObject({ tcp: v.string(), ...pace }),
    v.strictObject({ http: v.string(), status: v.exactOptional(v.number()), ...pace }),
  ],
  "expected { exec: '…' }, { tcp: 'host:port' } or { http: 'URL' }",
)

/** A service as it is written in a config; ranges and names are checked when it becomes a unit. */
export const serviceOptions = v.strictObject({
  ...order,
  exec: v.string(),
  oneshot: v.exactOptional(v.boolean()),
  dir: v.exactOptional(v.string()),
  env: v.exactOptional(v.record(v.string(), v.string())),
  test: v.exactOptional(test),
  restart: v.exactOptional(v.picklist(['always', 'on-failure', 'never'])),
  restartDelayMs: v.exactOptional(v.number()),
  restartDelayMaxMs: v.exactOptional(v.number()),
  maxRestarts: v.exactOptional(v.number()),
  stabilityPeriodMs: v.exactOptional(v.number()),
  startTimeoutMs: v.exactOptional(v.number()),
  stopTimeoutMs: v.exactOptional(v.number()),
  stopSignal: v.exactOptional(v.string()),
  log: v.exactOptional(v.picklist(['ring', 'none', 'stdout'])),
  logLines: v.exactOptional(v.number()),
  logFile: v.exactOptional(v.string()),
  logForward: v.exactOptional(v.string()),
  status: v.exactOptional(v.picklist(['start', 'stop', 'ignore'])),
  class: v.exactOptional(v.picklist(['user', 'system'])),
  critical: v.exactOptional(v.boolean()),
  ports: v.exactOptional(v.array(v.number())),
  killOthers: v.exactOptional(v.boolean()),
  processFilters: v.exactOptional(names),
})

const targetOptions = v.strictObject({ ...order, target: v.literal(true), critical: v.exactOptional(v.boolean()) })

/** Kinds of options are told apart first, so that a problem is said of the kind that was meant. */
const unitOptions = v.lazy((value) =>
  typeof value === 'object' && value !== null && 'target' in value ? targetOptions : serviceOptions,
)

const folder = v.pipe(v.string(), v.regex(/[^/]$/, 'expected the path of a folder, without a slash at its end'))

export const zinitOptions: v.GenericSchema<ZinitOptions> = v.pipe(
  v.strictObject({
    program: v.exactOptional(refOption),
    dialect: v.exactOptional(v.picklist(['yaml', 'toml'])),
    services: v.lazy((value) => (typeof value === 'string' ? folder : v.record(v.string(), unitOptions))),
    init: v.string(),
    root: v.exactOptional(v.picklist(['tmpfs', 'in-place'])),
    rootSize: v.exactOptional(
      v.pipe(v.string(), v.regex(/^\d{1,15}[kmg%]?$/i, 'expected a size such as 1536m or 50%')),
    ),
  }),
  v.check(
    ({ program, dialect }) => program !== undefined || dialect !== undefined,
    'expected program, the component that zinit is, or dialect, which unit files it reads',
  ),
)
