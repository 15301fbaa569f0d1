import { ZosError } from '../error.js'
import type { AttributeChanges, Delta, DeltaOp, Over, Stated } from './delta.js'
import type { Entry, FileEntry, Origin } from './entry.js'
import type { FileTree } from './tree.js'
import { Adoption } from './tree-adopt.js'
import { conflict, otherKind, ownerOf } from './tree-conflict.js'
import { checkRoom, type Place, TreeEdit } from './tree-edit.js'
import { Directory, impliedDirectory, isImplied, Leaf, type Node, sameContent } from './tree-node.js'
import { joinPath } from './tree-path.js'
import { isLink } from './tree-walk.js'

interface Context {
  readonly edit: TreeEdit
  readonly plugin: Origin
  readonly over: Over | undefined
  /** A file whose content is replaced stays its owner's. */
  readonly keepsOwners: boolean
}

/** The root after the changes; see `FileTree.apply`. `rootOf` opens the trees that the delta carries. */
export const applyDelta = (
  root: Directory,
  delta: Delta,
  { plugin, keepsOwners = false }: { readonly plugin: string; readonly keepsOwners?: boolean },
  rootOf: (tree: FileTree) => Directory,
): Directory => {
  const context = { edit: new TreeEdit(root), plugin: Object.freeze({ plugin }), over: delta.over, keepsOwners }
  for (const op of delta.ops) {
    if (op.op === 'tree') putTree(context, op.at, rootOf(op.tree))
    else applyOp(context, op)
  }
  return context.edit.root
}

const applyOp = (context: Context, op: Exclude<DeltaOp, { op: 'tree' }>): void => {
  if (op.op === 'put') put(context, op)
  else if (op.op === 'directory') putDirectory(context, op)
  else if (op.op === 'replace') replace(context, op)
  else if (op.op === 'remove') remove(context, op)
  else set(context, op)
}

const originOf = ({ plugin }: Context, { package: name, source }: Stated): Origin =>
  name === undefined && source === undefined
    ? plugin
    : Object.freeze({
        ...plugin,
        ...(name !== undefined && { package: name }),
        ...(source !== undefined && { source }),
      })

const withAttributes = <T extends Entry>(
  entry: T,
  { mode, uid, gid, xattrs }: AttributeChanges,
  origin = entry.origin,
): T => {
  const { xattrs: had, ...rest } = entry
  const have = xattrs ?? had
  return Object.freeze({
    ...rest,
    mode: mode ?? entry.mode,
    uid: uid ?? entry.uid,
    gid: gid ?? entry.gid,
    ...(have && Object.keys(have).length > 0 && { xattrs: have }),
    ...(origin && { origin }),
  }) as unknown as T
}

const mayReplace = ({ over }: Context, before: Entry, after: Entry): boolean => {
  const owner = ownerOf(before.origin)
  if (before.origin !== undefined && owner === ownerOf(after.origin)) return true
  if (over === undefined || over === 'any') return over === 'any'
  const { plugin, package: name } = before.origin ?? {}
  return over.some((allowed) => allowed === plugin || allowed === name || allowed === owner)
}

/** An equal record keeps its first owner and may gain hard links; another owner's is a conflict, unless `over` names it. */
const putLeaf = (context: Context, place: Place, name: string, leaf: Leaf): void => {
  const existing = place.directory.children.get(name)
  if (existing instanceof Directory) throw otherKind(joinPath(place.path, name), existing.entry, leaf.entry)
  if (existing !== undefined) {
    if (sameContent(existing.entry, leaf.entry)) {
      if (leaf.group && !existing.group) context.edit.put(place, name, new Leaf(existing.entry, leaf.group))
      return
    }
    if (!mayReplace(context, existing.entry, leaf.entry)) {
      throw conflict(joinPath(place.path, name), existing.entry, leaf.entry)
    }
  }
  context.edit.put(place, name, leaf)
}

const put = (context: Context, op: Extract<DeltaOp, { op: 'put' }>): void => {
  const { place, name } = context.edit.parent(op.path)
  const entry = Object.freeze({ ...op.entry, origin: originOf(context, op) })
  putLeaf(context, place, name, new Leaf(entry))
}

const putDirectory = (context: Context, op: Extract<DeltaOp, { op: 'directory' }>): void => {
  const { edit } = context
  const origin = originOf(context, op)
  const { directory } = op.path === '/' ? edit.open(op.path) : openOrFail(context, op.path, origin)
  const owner = isImplied(directory.entry) ? origin : directory.entry.origin
  directory.entry = withAttributes(directory.entry, op.attributes, owner)
}

const openOrFail = ({ edit }: Context, asked: string, origin: Origin): Place => {
  const { place, name, path } = edit.parent(asked)
  const existing = place.directory.children.get(name)
  if (existing !== undefined && !(existing instanceof Directory) && !isLink(existing)) {
    throw otherKind(path, existing.entry, { ...impliedDirectory, origin })
  }
  return edit.open(path)
}

const existing = ({ edit }: Context, path: string, verb: string): { path: string; node: Node } => {
  const found = edit.find(path)
  if (found) return found
  throw new ZosError('TREE_MISSING', `${path} cannot be ${verb}: it is not in the tree`, {
    subject: path,
    hint: 'put it first, or check which package brings it and where',
  })
}

const replace = (context: Context, op: Extract<DeltaOp, { op: 'replace' }>): void => {
  const { path, node } = existing(context, op.path, 'replaced')
  const origin = originOf(context, op)
  const fresh: FileEntry = { kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: op.blob }
  if (node instanceof Directory) throw otherKind(path, node.entry, { ...fresh, origin })
  const rewrite = ({ entry, group }: Leaf) => {
    const by = context.keepsOwners ? (entry.origin ?? origin) : origin
    return new Leaf(
      withAttributes(entry.kind === 'file' ? { ...entry, blob: op.blob } : fresh, op.attributes, by),
      group,
    )
  }
  rewriteLeaf(context, path, node, rewrite)
}

const rewriteLeaf = ({ edit }: Context, path: string, leaf: Leaf, rewrite: (leaf: Leaf) => Leaf): void => {
  if (leaf.group) {
    edit.rewriteGroup(leaf.group, rewrite)
    return
  }
  const { place, name } = edit.parent(path)
  edit.put(place, name, rewrite(leaf))
}

const remove = (context: Context, op: Extract<DeltaOp, { op: 'remove' }>): void => {
  if (op.missing === 'ok' && context.edit.find(op.path) === undefined) return
  const { path } = existing(context, op.path, 'removed')
  const { place, name } = context.edit.parent(path)
  context.edit.remove(place, name)
}

const set = (context: Context, op: Extract<DeltaOp, { op: 'set' }>): void => {
  const { path, node } = existing(context, op.path, 'changed')
  if (node instanceof Directory) {
    const { directory } = context.edit.open(path)
    directory.entry = withAttributes(directory.entry, op.attributes)
  } else {
    rewriteLeaf(context, path, node, (leaf) => new Leaf(withAttributes(leaf.entry, op.attributes), leaf.group))
  }
}

const putTree = (context: Context, at: string, source: Directory): void => {
  const place = at === '/' ? context.edit.open(at) : openOrFail(context, at, context.plugin)
  merge(context, place, source, new Adoption(context.plugin))
}

/** A directory that both have keeps its attributes, unless it is only implied; leaves follow the rules of `putLeaf`. */
const merge = (context: Context, place: Place, source: Directory, adoption: Adoption): void => {
  checkRoom(place.path, source)
  if (isImplied(place.directory.entry)) place.directory.entry = adoption.directoryEntry(source.entry)
  for (const name of source.names) {
    const child = source.children.get(name)!
    const existing = place.directory.children.get(name)
    if (child instanceof Leaf) putLeaf(context, place, name, adoption.leaf(child))
    else if (existing === undefined) context.edit.put(place, name, adoption.directory(child))
    else if (existing instanceof Directory || isLink(existing)) {
      merge(context, context.edit.open(joinPath(place.path, name)), child, adoption)
    } else {
      const origin = child.entry.origin ?? context.plugin
      throw otherKind(joinPath(place.path, name), existing.entry, { ...child.entry, origin })
    }
  }
}
