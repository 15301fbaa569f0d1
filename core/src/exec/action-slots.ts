// How many jobs the tools of an action may run at once. It is not part of what is built.
import { availableParallelism } from 'node:os'
import type { Session } from '../engine/session.js'
import type { ExecutorName } from './executor.js'

export interface ActionSlots {
  /** For make and cargo. */
  readonly env: Readonly<Record<string, string>>
  /** The pool, for tools that take from it and give back on their own. */
  readonly descriptor?: number
  /** Gives back what the action held. */
  leave(): void
}

const envOf = (jobs: number, more = ''): Record<string, string> => ({
  CARGO_BUILD_JOBS: String(jobs),
  MAKEFLAGS: `-j${jobs}${more}`,
})

/**
 * A build alone has all its jobs. Of several, make and cargo take from the pool that they share; a container, which can
 * have no descriptor of ours, holds what is free when it starts.
 */
export const slotsOf = ({ flags, jobServer }: Session, executor: ExecutorName): ActionSlots => {
  const jobs = Math.max(1, Math.min(flags.jobs, availableParallelism()))
  const leave = (): void => {}
  if (!jobServer) return { env: envOf(jobs), leave }
  if (executor === 'bubblewrap' || executor === 'host')
    return { env: envOf(jobs, ' --jobserver-auth=3,3'), descriptor: jobServer.descriptor, leave }
  let held = 1
  while (held < jobs && jobServer.take()) held++
  return {
    env: envOf(held),
    leave: () => {
      for (; held > 1; held--) jobServer.give()
    },
  }
}
