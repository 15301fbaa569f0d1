import { ZosError } from '@zos/core'
import { type Dependency, dependencyText, parseDependency } from './format/dependency.js'

/** Something that is to be installed, and who says so. */
export interface WorldEntry {
  readonly dependency: Dependency
  readonly by: string
}

export const worldEntry = (text: string, by: string): WorldEntry => ({ dependency: parseDependency(text, by), by })

const most = 1024 ** 2

/** Reads a list of packages: one a line, `#` starts a comment. Errors name the line. */
export const parsePackagesList = (text: string, file: string): WorldEntry[] => {
  if (text.length > most) throw new ZosError('ALPINE_PACKAGES', `${file}: more than ${most} characters`)
  return text.split('\n').flatMap((line, index) => {
    const word = line.replace(/#.*$/, '').trim()
    if (word === '') return []
    const by = `${file}:${index + 1}`
    if (/\s/.test(word))
      throw new ZosError('ALPINE_PACKAGES', `${by}: '${word}'; expected one package a line`, {
        hint: 'a condition is written without blanks: openssh>=9.7',
      })
    return [worldEntry(word, by)]
  })
}

const isPlain = ({ conflict, version, tag }: Dependency): boolean =>
  !conflict && version === undefined && tag === undefined

/**
 * The world: every name once. Who only names a package agrees with who also sets a condition; two conditions that are
 * not the same are `ALPINE_PACKAGES` with both.
 */
export const mergeWorld = (entries: readonly WorldEntry[]): WorldEntry[] => {
  const world = new Map<string, WorldEntry>()
  for (const entry of entries) {
    const { name } = entry.dependency
    const known = world.get(name)
    if (!known || isPlain(known.dependency)) world.set(name, entry)
    else if (!isPlain(entry.dependency) || known.dependency.conflict) {
      const [ours, theirs] = [dependencyText(known.dependency), dependencyText(entry.dependency)]
      if (ours !== theirs)
        throw new ZosError('ALPINE_PACKAGES', `${known.by} wants ${ours}, ${entry.by} wants ${theirs}`, {
          subject: name,
          hint: 'drop one of the two, or make them the same',
        })
    }
  }
  return [...world.values()].sort((a, b) => (a.dependency.name < b.dependency.name ? -1 : 1))
}
