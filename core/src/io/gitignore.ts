import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'

/** Never part of a source: what tools leave behind, and version control itself. */
const never = new Set(['.git', '.zos', 'node_modules', 'target', 'dist'])

/**
 * The rules of every `.gitignore` from `root` down (gitignore(5)), and the names that are never taken. Paths are relative
 * to `root`; a folder's answer holds for all that is in it. `onLook` gets every file of rules that was looked for.
 */
export const ignoreRules = (
  root: string,
  onLook: (file: string) => void = () => undefined,
): ((path: string, isFolder: boolean) => boolean) => {
  const rules = new Map<string, Ignore | undefined>()
  const rulesOf = (folder: string): Ignore | undefined => {
    if (!rules.has(folder)) {
      onLook(join(root, folder, '.gitignore'))
      let text: string | undefined
      try {
        text = readFileSync(join(root, folder, '.gitignore'), 'utf8')
      } catch {
        text = undefined
      }
      rules.set(folder, text === undefined ? undefined : ignore().add(text))
    }
    return rules.get(folder)
  }
  return (path, isFolder) => {
    const names = path.split('/')
    if (never.has(names.at(-1)!)) return true
    let ignored = false
    for (let depth = 0; depth < names.length; depth++) {
      const inner = names.slice(depth).join('/')
      const verdict = rulesOf(names.slice(0, depth).join('/'))?.test(isFolder ? `${inner}/` : inner)
      if (verdict?.ignored) ignored = true
      if (verdict?.unignored) ignored = false
    }
    return ignored
  }
}
