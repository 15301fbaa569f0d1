/** Lets at most `count` tasks run at once; the others wait in order. */
export type Limiter = <T>(task: () => Promise<T>) => Promise<T>

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
