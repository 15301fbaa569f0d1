import { ZosError } from '../error.js'
import type { DeviceEntry, FifoEntry, FileEntry, SymlinkEntry, TreeRecord } from '../model/entry.js'
import { checkPath, comparePaths, parentOf } from '../model/tree-path.js'

type At<Entry> = Entry & { readonly path: string }

/** What to make in a folder, in the order to make it: links last, so that nothing is ever written through one. */
export interface FolderPlan {
  /** Parents first, those that no record states included; their modes are set when all else is done. `/` if stated. */
  readonly directories: readonly { readonly path: string; readonly mode: number }[]
  readonly files: readonly At<FileEntry>[]
  readonly hardLinks: readonly { readonly path: string; readonly first: string }[]
  readonly symlinks: readonly At<SymlinkEntry>[]
  /** What only root can make. */
  readonly special: readonly At<DeviceEntry | FifoEntry>[]
}

/** Sorts records by what is to be done. Errors: `TREE_PATH`, `FOLDER_CONFLICT`. */
export const planFolder = (records: Iterable<TreeRecord>): FolderPlan => {
  const byPath = new Map<string, TreeRecord>()
  for (const record of records) {
    if (byPath.has(checkPath(record.path))) throw new ZosError('FOLDER_CONFLICT', `${record.path} comes twice`)
    if (record.path === '/' && record.kind !== 'directory') {
      throw new ZosError('FOLDER_CONFLICT', `/ is a ${record.kind}; expected a directory`)
    }
    byPath.set(record.path, record)
  }
  const directories = new Map<string, number>()
  const files: At<FileEntry>[] = []
  const hardLinks: { path: string; first: string }[] = []
  const symlinks: At<SymlinkEntry>[] = []
  const special: At<DeviceEntry | FifoEntry>[] = []
  const firsts = new Map<string, string>()
  for (const record of byPath.values()) {
    addParents(record.path, byPath, directories)
    switch (record.kind) {
      case 'directory':
        directories.set(record.path, record.mode)
        break
      case 'file': {
        const first = record.link === undefined ? undefined : firsts.get(record.link)
        if (first !== undefined) {
          hardLinks.push({ path: record.path, first })
          break
        }
        if (record.link !== undefined) firsts.set(record.link, record.path)
        files.push(record)
        break
      }
      case 'symlink':
        symlinks.push(record)
        break
      case 'character':
      case 'block':
      case 'fifo':
        special.push(record)
        break
    }
  }
  const sorted = [...directories].map(([path, mode]) => ({ path, mode })).sort((a, b) => comparePaths(a.path, b.path))
  return { directories: sorted, files, hardLinks, symlinks, special }
}

/** Parents that no record states get 0755, as in a tree. */
const addParents = (path: string, byPath: ReadonlyMap<string, TreeRecord>, directories: Map<string, number>): void => {
  for (let parent = parentOf(path); parent !== '/' && !directories.has(parent); parent = parentOf(parent)) {
    const record = byPath.get(parent)
    if (record && record.kind !== 'directory') {
      throw new ZosError('FOLDER_CONFLICT', `${path} lies below ${parent}, which is a ${record.kind}`, {
        hint: 'a record below a link would be written to wherever the link points',
      })
    }
    directories.set(parent, record?.mode ?? 0o755)
  }
}
