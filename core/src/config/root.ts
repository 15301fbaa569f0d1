import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The nearest folder from `from` upwards that holds a file of this name. */
export const upwards = (from: string, name: string): string | undefined => {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder
    if (dirname(folder) === folder) return undefined
  }
}

/** The project of a config file: the folder of the nearest package.json, else its own. */
export const projectRoot = (file: string): string => upwards(dirname(file), 'package.json') ?? dirname(file)
