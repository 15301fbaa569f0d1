// What a command left, taken into the store.
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { ZosError } from '../error.js'
import { readFolder } from '../io/folder-read.js'
import type { Action } from '../model/action.js'
import type { TreeRecord } from '../model/entry.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'

/** The outputs of an action at their paths as one tree; one that is missing is `ACTION_OUTPUT`. */
export const collectOutputs = async (store: Store, action: Action, folder: string, log: string): Promise<FileTree> => {
  const records: TreeRecord[] = []
  for (const output of [...action.outputs].sort()) {
    const found = await lstat(join(folder, output)).catch(() => undefined)
    if (!found)
      throw new ZosError('ACTION_OUTPUT', `${action.name} ended well but left no ${output}`, { hint: [`log: ${log}`] })
    if (found.isDirectory()) {
      for (const record of await readFolder(join(folder, output), store.blobs, { modes: 'git' }))
        records.push({ ...record, path: `/${output}${record.path}` })
    } else {
      const parent = output.includes('/') ? output.slice(0, output.lastIndexOf('/')) : ''
      const name = output.slice(output.lastIndexOf('/') + 1)
      const siblings = await readFolder(join(folder, parent), store.blobs, {
        modes: 'git',
        ignore: (path) => path !== name,
      })
      for (const record of siblings)
        records.push({ ...record, path: parent ? `/${parent}${record.path}` : record.path })
    }
  }
  return FileTree.from(records)
}
