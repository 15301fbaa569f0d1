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

const running = new Set<number>()
const killAll = (): void => {
  for (const pid of running) killGroup(pid, 'SIGKILL')
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
  if (pid !== undefined) {
    if (running.size === 0) process.once('exit', killAll)
    running.add(pid)
  }
  return {
    end(killAfter) {
      killGroup(pid, 'SIGTERM')
      timer ??= setTimeout(() => killGroup(pid, 'SIGKILL'), killAfter)
    },
    gone() {
      clearTimeout(timer)
      if (pid === undefined) return
      killGroup(pid, 'SIGKILL')
      running.delete(pid)
      if (running.size === 0) process.removeListener('exit', killAll)
    },
  }
}
