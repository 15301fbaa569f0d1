// What plugin commands remember between their runs.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { CommandContext } from '../command.js'
import { digestOf, type Json } from '../model/canonical.js'
import type { Store } from '../store/store.js'
import type { Cli } from './command.js'

/** The store of the project around the working folder; outside of projects the user's cache. */
export const commandStoreFolder = ({ cwd, env }: Cli): string => {
  if (env.ZOS_STORE) return resolve(cwd, env.ZOS_STORE)
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.zos'))) return join(folder, '.zos')
    if (dirname(folder) === folder) return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'zos')
  }
}

/** Opens the store for each use: a command may run for hours between two of them. What cannot be read is forgotten. */
export const commandMemory = (cli: Cli): CommandContext['memory'] => {
  const withStore = async <T>(use: (store: Store) => T | Promise<T>): Promise<T | undefined> => {
    const { Store } = await import('../store/store.js')
    let store: Store | undefined
    try {
      store = Store.open(commandStoreFolder(cli), cli.now)
      return await use(store)
    } catch {
      return undefined
    } finally {
      store?.close()
    }
  }
  const keyOf = (name: string, input: Json): string => digestOf({ command: name, input })
  return {
    get: (name, input) => withStore((store) => store.result('memo', keyOf(name, input))),
    set: async (name, input, value) =>
      void (await withStore((store) => store.setResult('memo', keyOf(name, input), value))),
  }
}
