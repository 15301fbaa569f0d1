import { setTimeout as pause } from 'node:timers/promises'
import type { JobServer } from '../io/job-server.js'

/** Lets at most so many tasks run at once; the others wait. */
export type Limiter = <T>(task: () => Promise<T>) => Promise<T>

/** `count` tasks at once; the others wait in order. */
export const createLimiter = (count: number): Limiter => {
  let free = Math.max(1, count)
  const waiting: (() => void)[] = []
  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free--
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/** Milliseconds between two looks for a free slot. */
const interval = 50

/** One task by the slot that is this process's own, and one more for each slot that the pool has free. */
export const createSharedLimiter = (server: JobServer): Limiter => {
  let isOwnFree = true
  const enter = async (): Promise<() => void> => {
    for (;;) {
      if (isOwnFree) {
        isOwnFree = false
        return () => {
          isOwnFree = true
        }
      }
      if (server.take()) return server.give
      await pause(interval)
    }
  }
  return async (task) => {
    const leave = await enter()
    try {
      return await task()
    } finally {
      leave()
    }
  }
}
