import type { Entry } from './entry.js'
import { Directory, type Node, sameContent } from './tree-node.js'
import { joinPath, parentOf } from './tree-path.js'
import { entryOf, type View, walk } from './tree-walk.js'

/** A record that is on one side only, or on both with other content, attributes or hard links. */
export interface Difference {
  readonly path: string
  readonly before?: Entry
  readonly after?: Entry
}

interface Sides {
  readonly before: View
  readonly after: View
  /** Directories on the way to records whose `link` differs: the digests below them may be equal all the same. */
  readonly relinked: ReadonlySet<string>
}

/** The differences in the order of records; equal subtrees are skipped. Origins do not count. */
export function* diffViews(before: View, after: View): Generator<Difference> {
  const sides = { before, after, relinked: relinked(before, after) }
  if (!sameContent(before.root.entry, after.root.entry)) {
    yield { path: '/', before: before.root.entry, after: after.root.entry }
  }
  yield* diffChildren(sides, before.root, after.root, '/')
}

const linkPaths = ({ root }: View): Map<string, string> => {
  const paths = new Map<string, string>()
  for (const members of root.groups.values()) {
    if (members.length > 1) for (const path of members) paths.set(`/${path}`, members[0]!)
  }
  return paths
}

const relinked = (before: View, after: View): Set<string> => {
  const [left, right] = [linkPaths(before), linkPaths(after)]
  const directories = new Set<string>()
  for (const path of [...left.keys(), ...right.keys()]) {
    if (left.get(path) === right.get(path)) continue
    for (let at = parentOf(path); !directories.has(at); at = parentOf(at)) directories.add(at)
  }
  return directories
}

function* diffChildren(sides: Sides, before: Directory, after: Directory, path: string): Generator<Difference> {
  if (before === after && !sides.relinked.has(path)) return
  const names = before.names === after.names ? before.names : [...new Set([...before.names, ...after.names])].sort()
  for (const name of names) {
    yield* diffNode(sides, before.children.get(name), after.children.get(name), joinPath(path, name))
  }
}

function* diffNode(sides: Sides, left: Node | undefined, right: Node | undefined, path: string): Generator<Difference> {
  if (left instanceof Directory && right instanceof Directory) {
    if (left.digest === right.digest && !sides.relinked.has(path)) return
    if (!sameContent(left.entry, right.entry)) yield { path, before: left.entry, after: right.entry }
    yield* diffChildren(sides, left, right, path)
    return
  }
  const before = left && entryOf(left, sides.before)
  const after = right && entryOf(right, sides.after)
  if (before === undefined || after === undefined || !sameContent(before, after) || linkOf(before) !== linkOf(after)) {
    yield { path, ...(before && { before }), ...(after && { after }) }
  }
  if (left instanceof Directory) {
    for (const found of walk(left, path)) yield { path: found.path, before: entryOf(found.node, sides.before) }
  } else if (right instanceof Directory) {
    for (const found of walk(right, path)) yield { path: found.path, after: entryOf(found.node, sides.after) }
  }
}

const linkOf = (entry: Entry): string | undefined => (entry.kind === 'file' ? entry.link : undefined)
