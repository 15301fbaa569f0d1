import { ZosError } from '../error.js'
import { canonical } from './canonical.js'
import type { DirectoryEntry, Entry, Origin } from './entry.js'
import { checkEntry } from './entry-check.js'
import { Directory, Group, Leaf, type Node, sameContent } from './tree-node.js'
import { checkPath, joinPath, nameOf, quote } from './tree-path.js'
import { viewOf, walk } from './tree-walk.js'

/*
 * One line of JSON a record, parents first: [depth, name, kind, mode, uid, gid, origin, xattrs, …what the kind has].
 * The header counts the records and lists the origins; hard links of one file carry the same number.
 */
const format = 'zos-tree/1'
const mostOrigins = 1_000_000

const letters = { file: 'f', directory: 'd', symlink: 'l', character: 'c', block: 'b', fifo: 'p' } as const
const kinds = new Map(Object.entries(letters).map(([kind, letter]) => [letter as string, kind as Entry['kind']]))

/** A root as bytes; equal records and origins give equal bytes. */
export const encodeRoot = (root: Directory): Uint8Array => {
  const origins = new Map<string, number>()
  const groups = new Map<Group, number>()
  const { links } = viewOf(root)
  const originNumber = (origin: Origin | undefined): number => {
    if (origin === undefined) return -1
    const key = canonical([origin.plugin, origin.package ?? null, origin.source ?? null])
    const number = origins.get(key) ?? origins.size
    origins.set(key, number)
    return number
  }
  const groupNumber = (group: Group | undefined): number => {
    if (group === undefined || !links.has(group)) return 0
    const number = groups.get(group) ?? groups.size + 1
    groups.set(group, number)
    return number
  }
  const line = (depth: number, name: string, node: Node): string => {
    const { entry } = node
    const fields: unknown[] = [depth, name, letters[entry.kind], entry.mode, entry.uid, entry.gid]
    fields.push(originNumber(entry.origin), entry.xattrs ?? 0)
    if (entry.kind === 'file') fields.push(entry.blob.sha256, entry.blob.size, groupNumber((node as Leaf).group))
    else if (entry.kind === 'symlink') fields.push(entry.target)
    else if (entry.kind === 'character' || entry.kind === 'block') fields.push(entry.major, entry.minor)
    return JSON.stringify(fields)
  }
  const lines = [line(0, '', root)]
  for (const { path, node } of walk(root, '/')) lines.push(line(depthOf(path), nameOf(path), node))
  const header = `{"format":"${format}","records":${lines.length},"origins":[${[...origins.keys()].join(',')}]}`
  return Buffer.from(`${header}\n${lines.join('\n')}\n`)
}

const depthOf = (path: string): number => {
  let depth = 0
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) === 47) depth++
  return depth
}

const damaged = (line: number, found: string, cause?: unknown): ZosError =>
  new ZosError('TREE_DECODE', `an encoded tree is damaged: line ${line} ${found}`, {
    hint: 'it was cut or changed after it was written; remove it, so that it is made again',
    ...(cause !== undefined && { cause }),
  })

/** The root of an encoded tree. Checks everything; whatever is not as `encodeRoot` writes it throws `TREE_DECODE`. */
export const decodeRoot = (bytes: Uint8Array): Directory => {
  const [first, ...lines] = linesOf(bytes)
  const { records, origins } = decodeHeader(first ?? '')
  if (lines.length !== records) {
    throw damaged(lines.length + 1, `is the last of ${lines.length} records, but the header counts ${records}`)
  }
  const decoder = new Decoder(origins)
  for (const [i, line] of lines.entries()) {
    try {
      decoder.take(line)
    } catch (error) {
      throw damaged(i + 2, `is wrong: ${(error as Error).message}`, error)
    }
  }
  return decoder.finish(lines.length + 1)
}

const linesOf = (bytes: Uint8Array): string[] => {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw damaged(1, 'and what follows is not UTF-8', cause)
  }
  const lines = text.split('\n')
  if (lines.pop() !== '') throw damaged(lines.length + 1, 'has no end: the text is cut')
  return lines
}

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`found ${quote(line)}, expected JSON`)
  }
}

const decodeHeader = (line: string): { records: number; origins: Origin[] } => {
  try {
    const header = parse(line) as { format?: unknown; records?: unknown; origins?: unknown } | null
    if (header?.format !== format)
      throw new Error(`found the format ${JSON.stringify(header?.format)}, expected ${format}`)
    const { records, origins } = header
    if (!Number.isSafeInteger(records) || (records as number) < 1) throw new Error('the number of records is wrong')
    if (!Array.isArray(origins) || origins.length > mostOrigins) throw new Error('the origins are no list')
    return { records: records as number, origins: origins.map(decodeOrigin) }
  } catch (error) {
    throw damaged(1, `is wrong: ${(error as Error).message}`, error)
  }
}

const decodeOrigin = (fields: unknown): Origin => {
  if (!Array.isArray(fields) || fields.length !== 3) throw new Error('an origin is not [plugin, package, source]')
  const [plugin, name, source] = fields
  const origin = { plugin, ...(name !== null && { package: name }), ...(source !== null && { source }) }
  return checkEntry({ kind: 'directory', mode: 0, uid: 0, gid: 0, origin }, 'an origin').origin!
}

interface Open {
  readonly path: string
  readonly directory: Directory
  last: string
}

class Decoder {
  readonly #origins: readonly Origin[]
  readonly #open: Open[] = []
  readonly #groups = new Map<number, { group: Group; entry: Entry; size: number }>()

  constructor(origins: readonly Origin[]) {
    this.#origins = origins
  }

  take(line: string): void {
    const fields = parse(line)
    if (!Array.isArray(fields)) throw new Error(`found ${quote(line)}, expected a list`)
    const [depth, name, letter, mode, uid, gid, origin, xattrs, ...rest] = fields
    const path = this.#path(depth, name)
    const kind = kinds.get(letter)
    const members = kind === 'file' ? 3 : kind === 'symlink' ? 1 : kind === 'character' || kind === 'block' ? 2 : 0
    if (kind === undefined || rest.length !== members) throw new Error(`${path} is of no known kind, or misses fields`)
    if (origin !== -1 && this.#origins[origin] === undefined)
      throw new Error(`${path} names an origin that is not there`)
    const entry = checkEntry(
      {
        kind,
        mode,
        uid,
        gid,
        ...(xattrs !== 0 && { xattrs }),
        ...(origin !== -1 && { origin: this.#origins[origin] }),
        ...(kind === 'file' && { blob: { sha256: rest[0], size: rest[1] } }),
        ...(kind === 'symlink' && { target: rest[0] }),
        ...((kind === 'character' || kind === 'block') && { major: rest[0], minor: rest[1] }),
      } as Entry,
      path,
    )
    this.#put(depth, name, path, entry, kind === 'file' ? rest[2] : 0)
  }

  finish(line: number): Directory {
    for (const { size } of this.#groups.values()) {
      if (size < 2) throw damaged(line, 'is the last, and a hard link has no partner')
    }
    return this.#open[0]!.directory
  }

  #path(depth: unknown, name: unknown): string {
    if (this.#open.length === 0) {
      if (depth !== 0 || name !== '') throw new Error('the first record is not the root')
      return '/'
    }
    if (!Number.isSafeInteger(depth) || (depth as number) < 1 || (depth as number) > this.#open.length) {
      throw new Error(`the depth is ${JSON.stringify(depth)}, expected 1 to ${this.#open.length}`)
    }
    const parent = this.#open[(depth as number) - 1]!
    if (typeof name !== 'string' || name.includes('/')) throw new Error(`${JSON.stringify(name)} is no name`)
    if (name <= parent.last) throw new Error(`${quote(name)} in ${parent.path} is twice there, or out of order`)
    return checkPath(joinPath(parent.path, name))
  }

  #put(depth: number, name: string, path: string, entry: Entry, number: unknown): void {
    this.#open.length = depth
    const node =
      entry.kind === 'directory'
        ? new Directory(entry as DirectoryEntry, new Map())
        : new Leaf(entry, this.#groupOf(number, entry, path))
    if (depth === 0 && !(node instanceof Directory)) throw new Error('the root is not a directory')
    const parent = this.#open[depth - 1]
    if (parent !== undefined) {
      parent.directory.children.set(name, node)
      parent.last = name
    }
    if (node instanceof Directory) this.#open.push({ path, directory: node, last: '' })
  }

  #groupOf(number: unknown, entry: Entry, path: string): Group | undefined {
    if (number === 0) return undefined
    if (!Number.isSafeInteger(number)) throw new Error(`${path} has a wrong number of hard links`)
    const known = this.#groups.get(number as number)
    if (known === undefined) {
      const group = new Group()
      this.#groups.set(number as number, { group, entry, size: 1 })
      return group
    }
    if (!sameContent(known.entry, entry)) throw new Error(`${path} differs from the file that it is a hard link of`)
    known.size++
    return known.group
  }
}
