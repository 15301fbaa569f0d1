import { canonical, sha256 } from './canonical.js'
import type { DirectoryEntry, Entry } from './entry.js'

/** What hard links of one file have in common: compared by identity, so that moving a subtree renames nothing. */
export class Group {
  readonly kind = 'group'
}

/** Any record but a directory. `entry` never has `link`: it follows from the group and the place in a tree. */
export class Leaf {
  constructor(
    readonly entry: Exclude<Entry, DirectoryEntry>,
    readonly group?: Group,
  ) {}
}

export type Node = Directory | Leaf

/** What a directory remembers of everything below it. */
interface Summary {
  readonly count: number
  /** Bytes of the longest path below, counted from the directory, its leading `/` included. */
  readonly longest: number
  /** Whether a file below is in a group of hard links. */
  readonly linked: boolean
  /** Whether everything below has an origin; implied directories need none. */
  readonly owned: boolean
}

const noGroups: ReadonlyMap<Group, readonly string[]> = new Map()

/**
 * A directory with what is in it. Only the edit whose token it carries may change it, and only while that edit runs;
 * everything derived is computed once, afterwards.
 */
export class Directory {
  #names: readonly string[] | undefined
  #digest: string | undefined
  #summary: Summary | undefined
  #groups: ReadonlyMap<Group, readonly string[]> | undefined

  constructor(
    public entry: DirectoryEntry,
    readonly children: Map<string, Node>,
    readonly edit?: object,
  ) {}

  /** Names in code unit order. */
  get names(): readonly string[] {
    this.#names ??= Object.freeze([...this.children.keys()].sort())
    return this.#names
  }

  get summary(): Summary {
    this.#summary ??= summarize(this)
    return this.#summary
  }

  /** The hard links below by group, as paths from here without a leading `/`, in the order of records. */
  get groups(): ReadonlyMap<Group, readonly string[]> {
    this.#groups ??= this.summary.linked ? collectGroups(this) : noGroups
    return this.#groups
  }

  /** SHA-256 over the own attributes, the names and contents in order, and the groups of hard links below. */
  get digest(): string {
    this.#digest ??= sha256(directoryText(this))
    return this.#digest
  }
}

/** Made as a parent of something: nobody stated its attributes, so the first who does owns it. */
export const isImplied = ({ mode, uid, gid, xattrs, origin }: DirectoryEntry): boolean =>
  origin === undefined && mode === 0o755 && uid === 0 && gid === 0 && xattrs === undefined

export const impliedDirectory: DirectoryEntry = Object.freeze({ kind: 'directory', mode: 0o755, uid: 0, gid: 0 })

/** Everything of an entry but origin and link, as text: equal content has equal text. Fields are parted by NUL. */
export const contentText = (entry: Entry): string => {
  const xattrs = entry.xattrs === undefined ? '' : canonical(entry.xattrs)
  const attributes = `${entry.kind}\0${entry.mode}\0${entry.uid}\0${entry.gid}\0${xattrs}`
  switch (entry.kind) {
    case 'file':
      return `${attributes}\0${entry.blob.sha256}\0${entry.blob.size}`
    case 'symlink':
      return `${attributes}\0${entry.target}`
    case 'character':
    case 'block':
      return `${attributes}\0${entry.major}\0${entry.minor}`
    default:
      return attributes
  }
}

export const sameContent = (a: Entry, b: Entry): boolean => a === b || contentText(a) === contentText(b)

export const digestOfNode = (node: Node): string =>
  node instanceof Directory ? node.digest : sha256(contentText(node.entry))

const directoryText = (directory: Directory): string => {
  const parts = [contentText(directory.entry)]
  for (const name of directory.names) {
    const child = directory.children.get(name)!
    parts.push(name, child instanceof Directory ? `tree\0${child.digest}` : contentText(child.entry))
  }
  // No name is empty, so an empty one opens the part on hard links.
  for (const paths of directory.groups.values()) if (paths.length > 1) parts.push('', String(paths.length), ...paths)
  return parts.join('\0')
}

const summarize = (directory: Directory): Summary => {
  let count = 0
  let longest = 0
  let linked = false
  let owned = true
  for (const [name, child] of directory.children) {
    let below = 0
    count++
    if (child instanceof Directory) {
      const summary = child.summary
      count += summary.count
      below = summary.longest
      linked ||= summary.linked
      owned &&= summary.owned && (child.entry.origin !== undefined || isImplied(child.entry))
    } else {
      linked ||= child.group !== undefined
      owned &&= child.entry.origin !== undefined
    }
    const bytes = 1 + Buffer.byteLength(name) + below
    if (bytes > longest) longest = bytes
  }
  return { count, longest, linked, owned }
}

const collectGroups = (directory: Directory): Map<Group, string[]> => {
  const groups = new Map<Group, string[]>()
  const add = (group: Group, path: string) => {
    const paths = groups.get(group)
    if (paths) paths.push(path)
    else groups.set(group, [path])
  }
  for (const name of directory.names) {
    const child = directory.children.get(name)!
    if (child instanceof Leaf) {
      if (child.group) add(child.group, name)
    } else {
      for (const [group, paths] of child.groups) for (const path of paths) add(group, `${name}/${path}`)
    }
  }
  return groups
}
