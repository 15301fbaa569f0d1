import { ZosError } from '../error.js'
import type { Entry, SymlinkEntry, TreeRecord } from './entry.js'
import { Directory, type Group, Leaf, type Node } from './tree-node.js'
import { joinPath, splitPath } from './tree-path.js'

/** As the Linux kernel has it: symbolic links followed on the way to one path. */
const mostLinks = 40

export interface Found {
  /** The path with every directory link on the way resolved. */
  readonly path: string
  readonly node: Node
}

/** A root with the path of the first file of each group of hard links that has two or more. */
export interface View {
  readonly root: Directory
  readonly links: ReadonlyMap<Group, string>
}

export const viewOf = (root: Directory): View => {
  const links = new Map<Group, string>()
  for (const [group, paths] of root.groups) if (paths.length > 1) links.set(group, `/${paths[0]}`)
  return { root, links }
}

export const isLink = (node: Node): node is Leaf & { entry: SymlinkEntry } =>
  node instanceof Leaf && node.entry.kind === 'symlink'

/** The entry of a node as the outside sees it: with `link`. */
export const entryOf = (node: Node, { links }: View): Entry => {
  if (node instanceof Directory || node.group === undefined) return node.entry
  const link = links.get(node.group)
  return link === undefined || node.entry.kind !== 'file' ? node.entry : { ...node.entry, link }
}

export const recordOf = (path: string, node: Node, view: View): TreeRecord => ({ ...entryOf(node, view), path })

/** Everything below a directory whose path is `under`: parents first, names in code unit order. */
export function* walk(directory: Directory, under: string): Generator<Found> {
  const stack = [{ directory, path: under, next: 0 }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const name = top.directory.names[top.next++]
    if (name === undefined) {
      stack.pop()
      continue
    }
    const node = top.directory.children.get(name)!
    const path = joinPath(top.path, name)
    yield { path, node }
    if (node instanceof Directory) stack.push({ directory: node, path, next: 0 })
  }
}

/**
 * What is at a path, with directory links on the way followed, and the last name too when `last` is `follow`.
 * `..` at the root stays there, so nothing leads out. Undefined when something on the way is missing or no directory;
 * throws `TREE_LOOP` after 40 links.
 */
export const find = (root: Directory, path: string, last: 'follow' | 'stay'): Found | undefined => {
  const names = splitPath(path)
  let node: Node = root
  for (const [i, name] of names.entries()) {
    if (!(node instanceof Directory)) return undefined
    const child = node.children.get(name)
    if (child === undefined) return undefined
    if (isLink(child) && (last === 'follow' || i < names.length - 1)) return findThroughLinks(root, path, last)
    node = child
  }
  return { path, node }
}

const findThroughLinks = (root: Directory, path: string, last: 'follow' | 'stay'): Found | undefined => {
  const pending = splitPath(path).reverse()
  let names: string[] = []
  let directories = [root]
  let followed = 0
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (names.pop() !== undefined) directories.pop()
      continue
    }
    const child = directories.at(-1)!.children.get(name)
    if (child === undefined) return undefined
    if (child instanceof Directory) {
      names.push(name)
      directories.push(child)
    } else if (isLink(child) && (last === 'follow' || pending.length > 0)) {
      if (++followed > mostLinks) {
        throw new ZosError('TREE_LOOP', `${path} leads through more than ${mostLinks} symbolic links`, {
          subject: path,
          hint: `the last of them is /${[...names, name].join('/')} → ${child.entry.target}; do they point at each other?`,
        })
      }
      if (child.entry.target.startsWith('/')) {
        names = []
        directories = [root]
      }
      pending.push(...child.entry.target.split('/').reverse())
    } else {
      return pending.length > 0 ? undefined : { path: `/${[...names, name].join('/')}`, node: child }
    }
  }
  return { path: `/${names.join('/')}`, node: directories.at(-1)! }
}
