// Steps of past builds, as explain, log and shell find them.
import { closest } from '../config/closest.js'
import type { Phase } from '../engine/session.js'
import { placeOf } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { StepHistory, TapRecord } from '../store/records.js'
import type { Store } from '../store/store.js'

export interface PastBuild {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly ms: number
  readonly ok: boolean
  readonly steps: readonly StepHistory[]
}

/** By what builds are filed. */
export interface ConfigName {
  readonly name: string
  readonly arch: string
}

export const buildsOf = (store: Store, { name, arch }: ConfigName): PastBuild[] => [...store.history(`${name}/${arch}`)]

/** What the last run of a step looked at and gave. */
export const recordOf = (store: Store, config: ConfigName, { step, phase }: StepHistory): TapRecord | undefined =>
  store.lastTapRecord(placeOf(config, phase as Phase, step))

/** The config whose build ran a step: another than its own, if that took the result over. */
export const runnerOf = (record: TapRecord | undefined, config: ConfigName): ConfigName => {
  const [name = config.name, arch = config.arch] = record?.from?.split('/') ?? []
  return { name, arch }
}

/** The argument of a command that is about one step. */
export const stepArgument = (command: string, [step]: readonly string[]): string => {
  if (step) return step
  throw new ZosError('CLI_USAGE', `zos ${command} wants the name of a step`, {
    hint: 'all steps: zos steps',
    exit: ExitCode.usage,
  })
}

/** A step that no build here had, and those whose names are near. */
export const unknownStep = (step: string, builds: readonly PastBuild[]): ZosError => {
  const known = [...new Set(builds.flatMap(({ steps }) => steps.map((one) => one.step)))]
  return new ZosError('STEP_UNKNOWN', `no build here ran a step ${step}`, {
    hint:
      known.length === 0
        ? 'build first: zos build'
        : `did you mean: ${closest(step, known).join(', ') || known.slice(0, 8).join(', ')}`,
    exit: ExitCode.usage,
  })
}
