import type { TreeRecord } from './entry.js'
import { Directory, type Node } from './tree-node.js'
import { joinPath } from './tree-path.js'
import { recordOf, type View } from './tree-walk.js'

/** The root with the records that `keep` takes; see `FileTree.filter`. */
export const filterRoot = (view: View, keep: (record: TreeRecord) => boolean): Directory =>
  filterChildren(view, view.root, '/', keep)

const filterChildren = (
  view: View,
  directory: Directory,
  path: string,
  keep: (record: TreeRecord) => boolean,
): Directory => {
  const children = new Map<string, Node>()
  let changed = false
  for (const name of directory.names) {
    const child = directory.children.get(name)!
    const here = joinPath(path, name)
    const wanted = keep(recordOf(here, child, view))
    const kept = child instanceof Directory ? filterChildren(view, child, here, keep) : child
    changed ||= kept !== child
    if (wanted || (kept instanceof Directory && kept.children.size > 0)) children.set(name, kept)
    else changed = true
  }
  return changed ? new Directory(directory.entry, children) : directory
}
