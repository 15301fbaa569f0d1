// What the tests ask of the machine they run on: Debian's own tools, as judges.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const hasTool = (tool: string): boolean => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0

export const skip = (name: string, reason: string): void => console.log(`skip ${name}: ${reason}`)

export const inFolder = <T>(run: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-debian-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    const result = run(folder)
    if (result instanceof Promise) return result.finally(remove) as T
    remove()
    return result
  } catch (error) {
    remove()
    throw error
  }
}

const listsFolder = '/var/lib/apt/lists'

/** apt's own copies of what it fetched, by the ending of their names: `_InRelease`, `_Packages`. */
export const aptLists = (ending: string): string[] => {
  try {
    return readdirSync(listsFolder)
      .filter((name) => name.replace(/\.(lz4|xz|gz)$/, '').endsWith(ending))
      .sort()
      .map((name) => join(listsFolder, name))
  } catch {
    return []
  }
}

/** A list's content; apt keeps some compressed. Undefined where the tool for that is missing. */
export const readList = (path: string): Buffer | undefined => {
  const tool = { lz4: 'lz4', xz: 'xz', gz: 'gzip' }[path.slice(path.lastIndexOf('.') + 1)]
  if (!tool) return readFileSync(path)
  const { status, stdout } = spawnSync(tool, ['-dc', path], { maxBuffer: 1 << 28 })
  return status === 0 ? stdout : undefined
}
