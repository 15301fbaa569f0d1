import { ZosError } from '../error.js'
import type { DirectoryEntry, Entry, TreeRecord } from './entry.js'
import { checkEntry } from './entry-check.js'
import { conflict, otherKind } from './tree-conflict.js'
import { TreeEdit } from './tree-edit.js'
import { Directory, Group, impliedDirectory, Leaf, sameContent } from './tree-node.js'
import { checkPath } from './tree-path.js'
import { find, isLink } from './tree-walk.js'

/** A root with these records; see `FileTree.from`. */
export const rootFrom = (records: Iterable<TreeRecord>): Directory => {
  const edit = new TreeEdit(new Directory(impliedDirectory, new Map()))
  const links = new Map<string, string[]>()
  for (const record of records) {
    const entry = checkEntry(record, checkPath(record.path))
    if (entry.kind === 'directory') {
      putDirectory(edit, record.path, entry)
      continue
    }
    const { place, name, path } = edit.parent(record.path)
    const existing = place.directory.children.get(name)
    if (existing === undefined) edit.put(place, name, new Leaf(entry))
    else if (existing instanceof Directory) throw otherKind(path, existing.entry, entry)
    else if (!sameContent(existing.entry, entry)) throw conflict(path, existing.entry, entry)
    if (record.kind === 'file' && record.link !== undefined) {
      const paths = links.get(record.link)
      if (paths) paths.push(path)
      else links.set(record.link, [path])
    }
  }
  joinLinks(edit, links)
  return edit.root
}

const putDirectory = (edit: TreeEdit, asked: string, entry: DirectoryEntry): void => {
  if (asked === '/') {
    setDirectory(edit.open('/').directory, asked, entry)
    return
  }
  const { place, name, path } = edit.parent(asked)
  const existing = place.directory.children.get(name)
  if (existing === undefined) edit.makeDirectory(place, name, entry)
  else if (existing instanceof Directory) setDirectory(edit.open(path).directory, path, entry)
  else if (isLink(existing)) edit.open(path)
  else throw otherKind(path, existing.entry, entry)
}

/** `impliedDirectory` itself, by identity, says that no record of this path came yet. */
const setDirectory = (directory: Directory, path: string, entry: DirectoryEntry): void => {
  if (directory.entry === impliedDirectory) directory.entry = entry
  else if (!sameContent(directory.entry, entry)) throw conflict(path, directory.entry, entry)
}

/** Makes groups of the records with equal `link`, and of the file that the link names, where it is there. */
const joinLinks = (edit: TreeEdit, links: ReadonlyMap<string, readonly string[]>): void => {
  const sets = new Map<string, Set<string>>()
  for (const [link, paths] of links) {
    const members = new Set(paths)
    const target = find(edit.root, checkPath(link), 'stay')
    if (target?.node instanceof Leaf && target.node.entry.kind === 'file') members.add(target.path)
    for (const path of [...members]) for (const other of sets.get(path) ?? []) members.add(other)
    for (const path of members) sets.set(path, members)
  }
  for (const members of new Set(sets.values())) {
    if (members.size < 2) continue
    const group = new Group()
    let first: { path: string; entry: Entry } | undefined
    for (const path of members) {
      const { place, name } = edit.parent(path)
      const { entry } = place.directory.children.get(name) as Leaf
      if (first !== undefined && !sameContent(first.entry, entry)) {
        throw new ZosError('TREE_LINK', `${path} is a hard link of ${first.path}, but content or attributes differ`, {
          subject: path,
          hint: 'hard links are one file: same content, mode, owner and extended attributes',
        })
      }
      first ??= { path, entry }
      place.directory.children.set(name, new Leaf(entry, group))
    }
  }
}
