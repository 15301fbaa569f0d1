import { ZosError } from '../error.js'
import { canonical } from './canonical.js'
import { type Delta, DeltaBuilder, type DeltaOp, type Over, type PutAttributes } from './delta.js'
import type { Blob } from './entry.js'
import { FileTree } from './tree.js'
import { quote } from './tree-path.js'

/* A header with the number of changes and `over`; a line of JSON a change; a tree's lines follow the change that puts it. */
const format = 'zos-delta/1'

/** A delta as bytes, without its contents: equal changes give equal bytes. */
export const encodeDelta = ({ ops, over }: Delta): Uint8Array => {
  const parts: Uint8Array[] = [Buffer.from(`${canonical({ format, ops: ops.length, over })}\n`)]
  for (const op of ops) {
    if (op.op === 'tree') {
      const tree = op.tree.encode()
      parts.push(Buffer.from(`${canonical({ op: 'tree', at: op.at, bytes: tree.length })}\n`), tree)
    } else {
      parts.push(Buffer.from(`${canonical(op)}\n`))
    }
  }
  return Buffer.concat(parts)
}

/** The delta that `encodeDelta` wrote, with no contents. Checks everything: damage of any kind is `DELTA_DECODE`. */
export const decodeDelta = (bytes: Uint8Array): Delta => {
  const input = new Input(bytes)
  try {
    const header = parse(input.line()) as { format?: unknown; ops?: unknown; over?: unknown }
    if (header.format !== format)
      throw new Error(`found the format ${JSON.stringify(header.format)}, expected ${format}`)
    if (!Number.isSafeInteger(header.ops)) throw new Error('the number of changes is missing')
    const builder = new DeltaBuilder({ over: decodeOver(header.over) })
    const lines: string[] = []
    for (let i = 0; i < (header.ops as number); i++) {
      const line = input.line()
      lines.push(line)
      replay(builder, parse(line) as unknown as StoredOp, (size) => FileTree.decode(input.take(size)))
    }
    input.end()
    const delta = builder.build()
    for (const [i, op] of delta.ops.entries()) {
      if (op.op !== 'tree' && canonical(op) !== lines[i])
        throw new Error(`found ${quote(lines[i]!)}, expected ${canonical(op)}`)
    }
    return delta
  } catch (cause) {
    throw new ZosError(
      'DELTA_DECODE',
      `an encoded delta is damaged near byte ${input.at}: ${(cause as Error).message}`,
      {
        hint: 'it was cut or changed after it was written; remove it, so that its step runs again',
        cause,
      },
    )
  }
}

/** Bytes read from front to back; reading past the end throws. */
class Input {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.at)
    if (end < 0) throw new Error('the text is cut')
    const line = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#bytes.subarray(this.at, end))
    this.at = end + 1
    return line
  }

  take(size: unknown): Uint8Array {
    const left = this.#bytes.length - this.at
    if (!Number.isSafeInteger(size) || (size as number) < 0 || (size as number) > left) {
      throw new Error(`a tree of ${JSON.stringify(size)} bytes is announced, ${left} are left`)
    }
    this.at += size as number
    return this.#bytes.subarray(this.at - (size as number), this.at)
  }

  end(): void {
    const left = this.#bytes.length - this.at
    if (left > 0) throw new Error(`${left} bytes follow the last change`)
  }
}

const parse = (line: string): object => {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) throw new Error(`found ${quote(line)}, expected an object`)
  return value
}

const decodeOver = (over: unknown): Over | undefined => {
  if (over === undefined || over === 'any') return over
  if (Array.isArray(over) && over.every((name) => typeof name === 'string')) return over
  throw new Error('"over" is neither "any" nor a list of names')
}

type StoredOp = Exclude<DeltaOp, { op: 'tree' }> | { readonly op: 'tree'; readonly at: string; readonly bytes: number }

/** Through the builder, so that everything is checked as it was when the delta was made. */
const replay = (builder: DeltaBuilder, op: StoredOp, treeOf: (size: unknown) => FileTree): unknown => {
  switch (op.op) {
    case 'put':
      return replayPut(builder, op)
    case 'directory':
      return builder.directory(op.path, attributesOf(op.attributes, op))
    case 'replace':
      return builder.replace(op.path, blobOf(op.blob), attributesOf(op.attributes, op))
    case 'tree':
      return builder.tree(treeOf(op.bytes), op.at)
    case 'remove':
      return builder.remove(op.path, { missing: op.missing })
    case 'set':
      return builder.set(op.path, op.attributes)
    default:
      throw new Error(`no change is called ${JSON.stringify((op as { op: unknown }).op)}`)
  }
}

const replayPut = (builder: DeltaBuilder, op: Extract<DeltaOp, { op: 'put' }>): unknown => {
  const { path, entry } = op
  const attributes = attributesOf(entry, op)
  if (entry.kind === 'file') return builder.file(path, blobOf(entry.blob), attributes)
  if (entry.kind === 'symlink') return builder.symlink(path, entry.target, attributes)
  return builder.device(path, entry.kind, entry.major, entry.minor, attributes)
}

/** Text in the place of a blob would be taken for content. */
const blobOf = (blob: Blob): Blob => {
  if (typeof blob !== 'object') throw new Error(`found ${JSON.stringify(blob)}, expected a blob`)
  return blob
}

const attributesOf = (
  { mode, uid, gid, xattrs }: PutAttributes,
  { package: name, source }: PutAttributes,
): PutAttributes => ({
  mode,
  uid,
  gid,
  xattrs,
  package: name,
  source,
})
