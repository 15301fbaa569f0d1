import { readFileSync } from 'node:fs'

/** A process as `pid:start`: start is in clock ticks since boot, so a reused pid is another owner. Source: proc(5), field 22. */
export const ownerOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return `${pid}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return undefined
  }
}

/** Whether the process that an owner names is still there. */
export const isAlive = (owner: string): boolean => ownerOf(Number(owner.split(':')[0])) === owner
