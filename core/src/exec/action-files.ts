// Files that an action leaves beside the store's data, by the step that asked for it.
import { join } from 'node:path'

const base = (logs: string, config: string, step: string, name: string): string =>
  join(logs, `${config}-${`${step}-${name}`.replace(/[^A-Za-z0-9._+-]+/g, '-')}`)

/** All that a command printed, the last time it ran. */
export const actionLog = (logs: string, config: string, step: string, name: string): string =>
  `${base(logs, config, step, name)}.log`

/** The capsule of a command that failed the last time it ran. */
export const actionCapsule = (logs: string, config: string, step: string, name: string): string =>
  `${base(logs, config, step, name)}.capsule.json`
