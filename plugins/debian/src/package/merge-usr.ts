import { type TreeRecord, ZosError } from '@zos/core'

/** Directories at the root that are links into `/usr` (systemd's "merged /usr", Debian's since bookworm). */
export const mergedFolders = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'] as const

const below = new RegExp(`^/(${mergedFolders.join('|')})(/.*)?$`)

/** Where a path of a package lies in a tree with a merged /usr. */
export const mergedPath = (path: string): string => (below.test(path) ? `/usr${path}` : path)

/** Whether a symbolic link is there only because both `/bin/x` and `/usr/bin/x` were to work. */
const pointsToItself = (record: TreeRecord, path: string): boolean =>
  record.kind === 'symlink' && mergedPath(normal(record.target, record.path)) === path

/** The absolute path that a link means, by its text alone. */
const normal = (target: string, from: string): string => {
  const parts: string[] = target.startsWith('/') ? [] : from.split('/').slice(1, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/**
 * The records of a package with everything of `/bin`, `/sbin`, `/lib` and `/lib*` below `/usr`; links that would then
 * point to themselves are dropped, hard links follow. Throws `DEBIAN_MERGED_USR` where a package has two different
 * things at what becomes one path.
 */
export const mergeUsr = (records: readonly TreeRecord[], name: string): TreeRecord[] => {
  const merged = new Map<string, TreeRecord>()
  for (const record of records) {
    const path = mergedPath(record.path)
    if (pointsToItself(record, path)) continue
    const moved: TreeRecord =
      record.kind === 'file' && record.link !== undefined
        ? { ...record, path, link: mergedPath(record.link) }
        : { ...record, path }
    const other = merged.get(path)
    if (other && !isAlike(other, moved))
      throw new ZosError('DEBIAN_MERGED_USR', `${name} has a ${other.kind} and a ${moved.kind} at ${path}`, {
        subject: name,
        hint: `it cannot be installed where ${record.path} and ${path} are one path`,
      })
    if (!other) merged.set(path, moved)
  }
  return [...merged.values()]
}

const isAlike = (a: TreeRecord, b: TreeRecord): boolean => {
  if (a.kind === 'directory') return b.kind === 'directory'
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target
  return a.kind === 'file' && b.kind === 'file' && a.blob.sha256 === b.blob.sha256 && a.mode === b.mode
}
