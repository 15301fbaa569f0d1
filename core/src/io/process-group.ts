import { readdirSync, readFileSync } from 'node:fs'

/** Sends a signal to a whole process group; one that is gone is no error. */
export const killGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}

/** Start of a process in clock ticks since boot, which with its number tells it from all others; proc(5). */
const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20]
  } catch {
    return undefined
  }
}

/** Processes that the threads of one have started; none where the kernel does not tell. */
const childrenOf = (pid: number): number[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

/** All that a process has started and what those have, by number and start. */
const descendantsOf = (pid: number, found = new Map<number, string>()): ReadonlyMap<number, string> => {
  for (const child of childrenOf(pid)) {
    const start = startOf(child)
    if (start === undefined || found.has(child)) continue
    found.set(child, start)
    descendantsOf(child, found)
  }
  return found
}

/** Ends what may have left the group, as a sandbox does whose outer process got a signal before it had the two tied. */
const killThose = (processes: ReadonlyMap<number, string>): void => {
  for (const [pid, start] of processes) {
    if (startOf(pid) !== start) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ESRCH' && code !== 'EPERM') throw error
    }
  }
}

/** Signals the group with nothing started in between; gives all that its leader had started. */
const endGroup = (pid: number, signal: NodeJS.Signals): ReadonlyMap<number, string> => {
  killGroup(pid, 'SIGSTOP')
  const started = descendantsOf(pid)
  killGroup(pid, signal)
  killGroup(pid, 'SIGCONT')
  return started
}

const running = new Set<number>()
const killAll = (): void => {
  for (const pid of running) killThose(endGroup(pid, 'SIGKILL'))
}

export interface ProcessGroup {
  /** TERM now, KILL after so many milliseconds unless `gone` is told before. */
  end(killAfter: number): void
  /** Its leader has ended: what is left of it ends now. */
  gone(): void
}

/** Watches over the group that `pid` leads: it does not outlive this process, unless that is killed by KILL. */
export const ownGroup = (pid: number | undefined): ProcessGroup => {
  let timer: NodeJS.Timeout | undefined
  let started: ReadonlyMap<number, string> = new Map()
  if (pid !== undefined) {
    if (running.size === 0) process.once('exit', killAll)
    running.add(pid)
  }
  return {
    end(killAfter) {
      if (pid === undefined || timer) return
      started = endGroup(pid, 'SIGTERM')
      timer = setTimeout(() => {
        killGroup(pid, 'SIGKILL')
        killThose(started)
      }, killAfter)
    },
    gone() {
      clearTimeout(timer)
      if (pid === undefined) return
      killGroup(pid, 'SIGKILL')
      killThose(started)
      running.delete(pid)
      if (running.size === 0) process.removeListener('exit', killAll)
    },
  }
}
