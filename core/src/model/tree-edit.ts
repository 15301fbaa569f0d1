import { ZosError } from '../error.js'
import type { DirectoryEntry } from './entry.js'
import { Directory, type Group, impliedDirectory, type Leaf, type Node } from './tree-node.js'
import { checkPath, joinPath, nameOf, PathLimit, parentOf } from './tree-path.js'
import { find, isLink } from './tree-walk.js'

/** A directory that the edit may write to, and its path with links resolved. */
export interface Place {
  readonly path: string
  readonly directory: Directory
}

/** Throws `TREE_PATH` when a directory, put at this path, would hold a path over the limit. */
export const checkRoom = (path: string, directory: Directory): void => {
  const size = (path === '/' ? 0 : Buffer.byteLength(path)) + directory.summary.longest
  if (size <= PathLimit.path) return
  throw new ZosError('TREE_PATH', `${path} would hold a path of ${size} bytes`, {
    subject: path,
    hint: `a path has at most ${PathLimit.path} bytes; put the tree at a shorter one`,
  })
}

/**
 * One series of changes that gives a new root. What it changes is copied once, the rest is shared; nothing derived
 * (digests, sorted names) may be asked of the nodes it made before it is over.
 */
export class TreeEdit {
  readonly #token = {}
  readonly #opened = new Map<string, Place>()
  #root: Directory

  constructor(root: Directory) {
    this.#root = this.#copy(root)
  }

  get root(): Directory {
    return this.#root
  }

  /** The directory at a path, through links; missing ones are made as implied. Throws `TREE_PARENT`, `TREE_LOOP`. */
  open(path: string): Place {
    const known = this.#opened.get(path)
    if (known) return known
    const place =
      path === '/' ? { path, directory: this.#root } : this.#openChild(this.open(parentOf(path)), nameOf(path))
    this.#opened.set(path, place)
    return place
  }

  /** The directory that a record at this path goes to, and the record's path with links resolved. */
  parent(path: string): { place: Place; name: string; path: string } {
    if (path === '/') throw new ZosError('TREE_PATH', 'the root itself can be neither put nor removed')
    const place = this.open(parentOf(path))
    const name = nameOf(path)
    const resolved = joinPath(place.path, name)
    return { place, name, path: resolved === path ? path : checkPath(resolved) }
  }

  find(path: string): { path: string; node: Node } | undefined {
    return find(this.#root, path, 'stay')
  }

  put(place: Place, name: string, node: Node): void {
    const before = place.directory.children.get(name)
    if (before !== undefined && (before instanceof Directory || isLink(before))) this.#opened.clear()
    if (node instanceof Directory && node.edit !== this.#token) checkRoom(joinPath(place.path, name), node)
    place.directory.children.set(name, node)
  }

  makeDirectory(place: Place, name: string, entry: DirectoryEntry): Place {
    const directory = new Directory(entry, new Map(), this.#token)
    this.put(place, name, directory)
    return { path: joinPath(place.path, name), directory }
  }

  remove(place: Place, name: string): void {
    this.#opened.clear()
    place.directory.children.delete(name)
  }

  /** Gives the same new leaf to every hard link of a group; the files stay links of each other. */
  rewriteGroup(group: Group, rewrite: (leaf: Leaf) => Leaf): void {
    for (const path of this.#membersOf(group, this.#root, '/')) {
      const { place, name } = this.parent(path)
      place.directory.children.set(name, rewrite(place.directory.children.get(name) as Leaf))
    }
  }

  #openChild(parent: Place, name: string): Place {
    const path = joinPath(parent.path, name)
    const child = parent.directory.children.get(name)
    if (child === undefined) return this.makeDirectory(parent, name, impliedDirectory)
    if (child instanceof Directory) {
      if (child.edit === this.#token) return { path, directory: child }
      const directory = this.#copy(child)
      parent.directory.children.set(name, directory)
      return { path, directory }
    }
    if (!isLink(child)) {
      throw new ZosError('TREE_PARENT', `nothing can be put below ${path}: it is a ${child.entry.kind}`, {
        subject: path,
      })
    }
    const target = find(this.#root, path, 'follow')
    if (target?.node instanceof Directory) return this.open(target.path)
    const why = target === undefined ? 'which leads nowhere' : `which leads to a ${target.node.entry.kind}`
    throw new ZosError(
      'TREE_PARENT',
      `nothing can be put below ${path}: it is a symbolic link to ${child.entry.target}, ${why}`,
      { subject: path, hint: 'put the directory that it points to first' },
    )
  }

  #copy(directory: Directory): Directory {
    return new Directory(directory.entry, new Map(directory.children), this.#token)
  }

  /** Shared nodes know their groups; those made by this edit have to be walked. */
  *#membersOf(group: Group, directory: Directory, path: string): Generator<string> {
    if (directory.edit !== this.#token) {
      for (const below of directory.groups.get(group) ?? []) yield joinPath(path, below)
      return
    }
    for (const [name, child] of directory.children) {
      if (child instanceof Directory) yield* this.#membersOf(group, child, joinPath(path, name))
      else if (child.group === group) yield joinPath(path, name)
    }
  }
}
