export interface InFlightLimits {
  readonly tasks: number
  /** The sum of what the running tasks cost, in bytes held in memory. */
  readonly cost: number
}

/** Runs tasks side by side within limits. The first failure is thrown by the next call; none goes unhandled. */
export class InFlight {
  readonly #limits: InFlightLimits
  readonly #running = new Set<Promise<void>>()
  #cost = 0
  #failed: { readonly error: unknown } | undefined

  constructor(limits: InFlightLimits) {
    this.#limits = limits
  }

  /** Waits for room, then starts the task and returns. One task alone may cost more than the limit. */
  async add(cost: number, task: () => Promise<void>): Promise<void> {
    const { tasks, cost: most } = this.#limits
    while (this.#running.size >= tasks || (this.#running.size > 0 && this.#cost + cost > most)) {
      await Promise.race(this.#running)
    }
    this.#check()
    this.#cost += cost
    const running: Promise<void> = task()
      .catch((error: unknown) => {
        this.#failed ??= { error }
      })
      .finally(() => {
        this.#cost -= cost
        this.#running.delete(running)
      })
    this.#running.add(running)
  }

  /** Waits for all that was started; failures are kept for `done`. */
  async settle(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Waits for all that was started, and throws the first failure. */
  async done(): Promise<void> {
    await this.settle()
    this.#check()
  }

  #check(): void {
    if (this.#failed) throw this.#failed.error
  }
}
