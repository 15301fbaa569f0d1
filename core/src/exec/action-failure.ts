// How a command failed, where its log is, and how to get where it failed.
import { ZosError } from '../error.js'
import type { Action } from '../model/action.js'

export interface FailurePlace {
  readonly log: string
  /** Number of the line of the log with the first error. */
  readonly line: number | undefined
  /** `undefined` where none could be kept. */
  readonly capsule: string | undefined
  /** The command that opens a shell where it failed. */
  readonly shell: string
}

export const actionFailure = (
  action: Action,
  cause: Error,
  errors: readonly string[],
  { log, line, capsule, shell }: FailurePlace,
): ZosError =>
  new ZosError('ACTION_FAILED', `${action.name}: ${(errors.length > 0 ? errors : [cause.message]).join('\n  ')}`, {
    hint: [
      ...(errors.some((line) => line.includes('No space left on device'))
        ? ['make room for the store, or name another folder with ZOS_STORE']
        : []),
      `log: ${log}${line === undefined ? '' : ` (line ${line})`}`,
      `shell: ${shell}`,
    ],
    cause,
    data: { log, command: action.command, errors, action: action.name, capsule },
  })
