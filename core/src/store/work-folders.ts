import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from './process-owner.js'

/** Gives a folder another name; `false` where it cannot: another process was quicker, or it belongs to another user. */
const move = (from: string, to: string): boolean => {
  try {
    renameSync(from, to)
    return true
  } catch {
    return false
  }
}

/**
 * Working folders below the store, one for each process that uses it. A process takes over those of processes that have
 * ended, and removes them while it does its work, since they may be large.
 */
export class WorkFolders {
  readonly #root: string
  readonly #owner: string
  /** Of ended processes, taken over by this one: names below the root, until they are gone. */
  readonly #sweeping = new Map<string, Promise<void>>()

  constructor(root: string, owner: string) {
    this.#root = root
    this.#owner = owner
  }

  /** A folder of this process, made when asked for; it goes when the process ends. */
  folder(name: string): string {
    const path = join(this.#root, this.#owner, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  /** Names of ended processes whose folders are being removed. */
  get sweeping(): readonly string[] {
    return [...this.#sweeping.keys()]
  }

  /** Waits until what ended processes left is gone. */
  async swept(): Promise<void> {
    await Promise.all(this.#sweeping.values())
  }

  /** Begins to remove what ended processes left. */
  sweep(): void {
    for (const name of readdirSync(this.#root)) {
      if (name === this.#owner || isAlive(name)) continue
      const taken = this.#taken(name)
      mkdirSync(join(taken, '..'), { recursive: true })
      if (!move(join(this.#root, name), taken)) continue
      const removal = rm(taken, { recursive: true, force: true, maxRetries: 3 })
        // What a command that outlived its zos still writes goes with this process.
        .catch(() => undefined)
        .then(() => void this.#sweeping.delete(name))
      this.#sweeping.set(name, removal)
    }
  }

  /** Removes the folder of this process. What is left of others goes back to its place, for the next process. */
  close(): void {
    for (const name of this.#sweeping.keys()) move(this.#taken(name), join(this.#root, name))
    try {
      rmSync(join(this.#root, this.#owner), { recursive: true, force: true, maxRetries: 3 })
    } catch {
      // A command that outlived its zos still writes there; it is in nobody's way, and goes at a later start.
    }
  }

  /** Where the folder of an ended process goes first: into that of this one, so that no other takes it too. */
  #taken(name: string): string {
    return join(this.#root, this.#owner, 'swept', name)
  }
}
