import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Files of the host that match an absolute path with `*` in its last name, sorted; none where the folder is missing. */
export const glob = async (pattern: string): Promise<readonly string[]> => {
  const at = pattern.lastIndexOf('/')
  const [folder, last] = [pattern.slice(0, at) || '/', pattern.slice(at + 1)]
  const expression = new RegExp(
    `^${last
      .split('*')
      .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  )
  const names = await readdir(folder).catch((): string[] => [])
  return names
    .filter((name) => expression.test(name))
    .sort()
    .map((name) => join(folder, name))
}
