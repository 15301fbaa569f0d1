import type { Delta } from './delta.js'
import { applyDelta } from './delta-apply.js'
import type { Entry, TreeRecord } from './entry.js'
import { globNodes } from './glob.js'
import { Adoption } from './tree-adopt.js'
import { decodeRoot, encodeRoot } from './tree-codec.js'
import { otherKind } from './tree-conflict.js'
import { type Difference, diffViews } from './tree-diff.js'
import { TreeEdit } from './tree-edit.js'
import { filterRoot } from './tree-filter.js'
import { rootFrom } from './tree-from.js'
import { Directory, digestOfNode, impliedDirectory, Leaf } from './tree-node.js'
import { checkPath } from './tree-path.js'
import { entryOf, find, isLink, recordOf, type View, viewOf, walk } from './tree-walk.js'

/**
 * A root file system as a value: a persistent Merkle tree of directories. Every operation gives a new tree that shares
 * what did not change. Directories that are links lead on, as on a disk: no record is ever below a symbolic link. Paths
 * are absolute and in normal form (`TREE_PATH`); more than 40 links on one way are `TREE_LOOP`.
 */
export class FileTree {
  /** The root directory, 0755 root:root, with nothing in it. */
  static readonly empty: FileTree = new FileTree(new Directory(impliedDirectory, new Map()))

  readonly #root: Directory
  #view: View | undefined

  private constructor(root: Directory) {
    this.#root = root
  }

  /**
   * A tree of records in any order that puts directory links before what is reached through them. Missing parents are
   * made, 0755 root:root; a record for `/` sets the root's own attributes. Records with equal `link`, and the file that
   * it names, become hard links of each other. Two records of one path that are not alike are `TREE_CONFLICT`, of which
   * one is a directory `TREE_KIND`, unlike hard links `TREE_LINK`, a parent that is none `TREE_PARENT`, values that
   * Linux does not have `TREE_RECORD`.
   */
  static from(records: Iterable<TreeRecord>): FileTree {
    return new FileTree(rootFrom(records))
  }

  /** The tree that `encode` wrote. Checks everything: damage of any kind is `TREE_DECODE`. */
  static decode(bytes: Uint8Array): FileTree {
    return new FileTree(decodeRoot(bytes))
  }

  /**
   * SHA-256 as 64 hex digits over every record with its attributes, content and hard links, and the root's attributes.
   * Origins are left out: equal files from a newer package are equal.
   */
  get digest(): string {
    return this.#root.digest
  }

  /** The number of records; the root is none. */
  get count(): number {
    return this.#root.summary.count
  }

  /** The record at a path, as `lstat`: links on the way are followed, the last is not. */
  get(path: string): Entry | undefined {
    const found = find(this.#root, checkPath(path), 'stay')
    return found && entryOf(found.node, this.#links)
  }

  /** The path without links, as `realpath`; `..` stops at the root. Undefined when there is nothing. */
  resolve(path: string): string | undefined {
    return find(this.#root, checkPath(path), 'follow')?.path
  }

  /** The names in a directory, sorted by code units; none when it is missing. */
  list(path: string): readonly string[] {
    return this.#directory(path)?.names ?? []
  }

  /**
   * All records below a directory, without itself: parents first, names in code unit order. Their paths have no links,
   * also where `under` leads through one.
   */
  *records(under = '/'): Generator<TreeRecord, void, undefined> {
    const found = find(this.#root, checkPath(under), 'follow')
    if (!(found?.node instanceof Directory)) return
    for (const { path, node } of walk(found.node, found.path)) yield recordOf(path, node, this.#links)
  }

  /**
   * The records that match an absolute pattern, in the order of `records`. `*` is any part of a name, dots in front
   * included, `?` one character, `**` any number of names (at the end at least one), `{a,b}` one of several; everything
   * else is itself. Names in front of the first wildcard lead through links; wildcards do not. A wrong pattern is `TREE_GLOB`.
   */
  glob(pattern: string): TreeRecord[] {
    return Array.from(globNodes(this.#root, pattern), ({ path, node }) => recordOf(path, node, this.#links))
  }

  /** A directory as a tree of its own, sharing memory; the empty tree when it is missing. */
  subtree(path: string): FileTree {
    const directory = this.#directory(path)
    return directory ? new FileTree(directory) : FileTree.empty
  }

  /**
   * This tree with another in the place of the directory at a path, which may be missing; what was in it is gone. The
   * reverse of `subtree`. Throws `TREE_KIND` where something else is, `TREE_PARENT` as `from`.
   */
  mount(path: string, tree: FileTree): FileTree {
    if (checkPath(path) === '/') return tree
    const edit = new TreeEdit(this.#root)
    const { place, name, path: here } = edit.parent(path)
    const existing = place.directory.children.get(name)
    if (existing instanceof Leaf && !isLink(existing)) throw otherKind(here, existing.entry, tree.#root.entry)
    const target = edit.parent(existing instanceof Leaf ? edit.open(here).path : here)
    edit.put(target.place, target.name, new Adoption().directory(tree.#root))
    return new FileTree(edit.root)
  }

  /** The digest of the record at a path, with everything below it; undefined when there is nothing. A link is not followed. */
  digestAt(path: string): string | undefined {
    const found = find(this.#root, checkPath(path), 'stay')
    return found && digestOfNode(found.node)
  }

  /** The records that `keep` takes, and the directories that hold one of them, with their attributes. */
  filter(keep: (record: TreeRecord) => boolean): FileTree {
    const root = filterRoot(this.#links, keep)
    return root === this.#root ? this : new FileTree(root)
  }

  /**
   * The tree after the changes of a delta, in their order. Records without an origin get one with `by.plugin`, except
   * directories that were only made as parents: the first who states them owns them.
   *
   * A path that another plugin or package put is `TREE_CONFLICT`, unless both records are alike (the first owner stays),
   * or the delta's `over` names the first. Two directories are no conflict: the attributes of the first stay, also where
   * another package has others, until `directory` or `set` gives some. Further errors: `TREE_KIND`, `TREE_PARENT`,
   * `TREE_MISSING`, `TREE_PATH` for paths that get too long. With `keepsOwners` a file whose content is replaced keeps its
   * origin.
   */
  apply(delta: Delta, by: { readonly plugin: string; readonly keepsOwners?: boolean }): FileTree {
    return new FileTree(applyDelta(this.#root, delta, by, (tree) => tree.#root))
  }

  /** What differs in `after`, in the order of records. Equal subtrees are skipped; origins do not count. */
  diff(after: FileTree): Generator<Difference, void, undefined> {
    return diffViews(this.#links, after.#links)
  }

  /** Lines of JSON with everything in it, origins too. Equal trees with equal origins give equal bytes. */
  encode(): Uint8Array {
    return encodeRoot(this.#root)
  }

  get #links(): View {
    this.#view ??= viewOf(this.#root)
    return this.#view
  }

  #directory(path: string): Directory | undefined {
    const node = find(this.#root, checkPath(path), 'follow')?.node
    return node instanceof Directory ? node : undefined
  }
}
