export interface HttpLimits {
  /** Transfers at once. */
  readonly total: number
  /** Transfers at once with one host. */
  readonly perHost: number
}

export const defaultLimits: HttpLimits = { total: 8, perHost: 6 }

export interface Limiter {
  /** Runs `work` once a place is free, first come, first served among those that may run. */
  run<T>(host: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
}

interface Waiting {
  readonly host: string
  readonly start: () => void
}

/** Bounds how much runs at once, in all and for each host; one limiter is shared by a whole build. */
export const createLimiter = (limits: HttpLimits): Limiter => {
  const queue: Waiting[] = []
  const busy = new Map<string, number>()
  let total = 0

  const startNext = (): void => {
    while (total < limits.total) {
      const index = queue.findIndex(({ host }) => (busy.get(host) ?? 0) < limits.perHost)
      if (index < 0) return
      const [{ host, start }] = queue.splice(index, 1) as [Waiting]
      total++
      busy.set(host, (busy.get(host) ?? 0) + 1)
      start()
    }
  }

  const place = (host: string, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abort = (): void => {
        queue.splice(queue.indexOf(waiting), 1)
        reject(signal?.reason)
      }
      const waiting: Waiting = {
        host,
        start: () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal?.addEventListener('abort', abort, { once: true })
      queue.push(waiting)
      startNext()
    })

  return {
    async run(host, signal, work) {
      await place(host, signal)
      try {
        return await work()
      } finally {
        total--
        const left = (busy.get(host) ?? 1) - 1
        if (left > 0) busy.set(host, left)
        else busy.delete(host)
        startNext()
      }
    },
  }
}
