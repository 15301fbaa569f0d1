import type { DirectoryEntry, Origin } from './entry.js'
import { Directory, Group, isImplied, Leaf, type Node } from './tree-node.js'

/**
 * Takes nodes of one tree over into another: groups of hard links get a new identity, because the same tree put at
 * two places is two files; records without an origin get `owner`, when there is one. What needs neither is shared.
 */
export class Adoption {
  readonly #owner: Origin | undefined
  readonly #groups = new Map<Group, Group>()

  constructor(owner?: Origin) {
    this.#owner = owner
  }

  /** An implied directory stays without an owner, so that the first who states it can own it. */
  directoryEntry(entry: DirectoryEntry): DirectoryEntry {
    if (this.#owner === undefined || entry.origin !== undefined || isImplied(entry)) return entry
    return Object.freeze({ ...entry, origin: this.#owner })
  }

  leaf(leaf: Leaf): Leaf {
    const orphan = this.#owner !== undefined && leaf.entry.origin === undefined
    if (!orphan && leaf.group === undefined) return leaf
    return new Leaf(
      orphan ? Object.freeze({ ...leaf.entry, origin: this.#owner }) : leaf.entry,
      this.#group(leaf.group),
    )
  }

  directory(source: Directory): Directory {
    const { owned, linked } = source.summary
    const entry = this.directoryEntry(source.entry)
    if ((owned || this.#owner === undefined) && !linked && entry === source.entry) return source
    const children = new Map<string, Node>()
    for (const [name, child] of source.children) {
      children.set(name, child instanceof Directory ? this.directory(child) : this.leaf(child))
    }
    return new Directory(entry, children)
  }

  #group(group: Group | undefined): Group | undefined {
    if (group === undefined) return undefined
    const known = this.#groups.get(group) ?? new Group()
    this.#groups.set(group, known)
    return known
  }
}
