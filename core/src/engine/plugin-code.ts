// What a plugin's taps are made of: the digest of its code, so that an edited plugin reruns its taps.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { moduleFiles } from '../config/load.js'
import type { FileDigests } from '../io/project.js'
import { digestOf } from '../model/canonical.js'

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path)
    return entry.name.endsWith('.js') ? [path] : []
  })

const packageFolder = (file: string, root: string): string | undefined => {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (folder === root) return undefined
    if (statSync(join(folder, 'package.json'), { throwIfNoEntry: false })) return folder
  }
  return undefined
}

/** Files that decide what a plugin does: of a package its built code, of a file in the project itself and its relative imports. */
const codeFiles = (url: string, root: string): readonly string[] => {
  const file = fileURLToPath(url)
  const folder = packageFolder(file, root)
  if (folder === undefined || file.endsWith('.ts')) return [...moduleFiles(file)].sort()
  const { files = ['dist'] } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { files?: string[] }
  const code = files.flatMap((name) => {
    const path = join(folder, name)
    return statSync(path, { throwIfNoEntry: false })?.isDirectory()
      ? filesBelow(path)
      : path.endsWith('.js')
        ? [path]
        : []
  })
  return [...code, join(folder, 'package.json')].sort()
}

/** Digest of a plugin's code by the URL of its defining file. */
export const codeDigest = async (url: string, root: string, digests: FileDigests): Promise<string> => {
  const seen: (readonly [string, string | undefined])[] = []
  const files = codeFiles(url, root)
  const base = dirname(files[0] ?? root)
  for (const file of files)
    seen.push([file.startsWith(base) ? file.slice(base.length) : file, (await digests.digest(file))?.sha256])
  return digestOf(seen)
}
