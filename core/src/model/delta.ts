import { sha256 } from './canonical.js'
import type { Blob, DeviceEntry, FileEntry, SymlinkEntry } from './entry.js'
import { checkEntry } from './entry-check.js'
import type { FileTree } from './tree.js'
import { checkPath } from './tree-path.js'

export interface AttributeChanges {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** All extended attributes of the record by full name; values are base64. `{}` removes them. */
  readonly xattrs?: Readonly<Record<string, string>> | undefined
}

export interface PutAttributes extends AttributeChanges {
  /** The package that the record belongs to, where the plugin applies packages. */
  readonly package?: string | undefined
  /** The source that the record comes from. */
  readonly source?: string | undefined
}

/** The part of an origin that a plugin states; `apply` adds the plugin. */
export interface Stated {
  readonly package?: string
  readonly source?: string
}

/** What can be put on its own; fifos and hard links come with whole trees. */
export type PutEntry = FileEntry | SymlinkEntry | DeviceEntry

/** One change. Paths are absolute and in normal form; entries have neither origin nor link. */
export type DeltaOp =
  | ({ readonly op: 'put'; readonly path: string; readonly entry: PutEntry } & Stated)
  | ({ readonly op: 'directory'; readonly path: string; readonly attributes: AttributeChanges } & Stated)
  | ({
      readonly op: 'replace'
      readonly path: string
      readonly blob: Blob
      readonly attributes: AttributeChanges
    } & Stated)
  | { readonly op: 'tree'; readonly at: string; readonly tree: FileTree }
  | { readonly op: 'remove'; readonly path: string; readonly missing?: 'ok' }
  | { readonly op: 'set'; readonly path: string; readonly attributes: AttributeChanges }

/** Whose files a delta may replace: everybody's, or those of these plugins and packages, by name. */
export type Over = 'any' | readonly string[]

/** What a tap does to a tree: plain data, applied in order. */
export interface Delta {
  readonly ops: readonly DeltaOp[]
  readonly over?: Over
  /** Bytes of the files that were given as text or bytes, by SHA-256; they have to go into the store. */
  readonly contents: ReadonlyMap<string, Uint8Array>
}

const stated = ({ package: name, source }: PutAttributes): Stated => ({
  ...(name !== undefined && { package: name }),
  ...(source !== undefined && { source }),
})

const checked = (path: string, { mode, uid, gid, xattrs }: AttributeChanges): AttributeChanges => {
  const whole = checkEntry(
    { kind: 'directory', mode: mode ?? 0, uid: uid ?? 0, gid: gid ?? 0, ...(xattrs && { xattrs }) },
    path,
  )
  return Object.freeze({
    ...(mode !== undefined && { mode }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(xattrs !== undefined && { xattrs: whole.xattrs ?? {} }),
  })
}

/**
 * Collects changes to a tree. Every method checks its arguments at once (`TREE_PATH`, `TREE_RECORD`); what depends on
 * the tree is judged by `FileTree.apply`.
 */
export class DeltaBuilder {
  readonly #ops: DeltaOp[] = []
  readonly #contents = new Map<string, Uint8Array>()
  readonly #over: Over | undefined

  /** `over`: plugins, packages or `plugin/package` whose files this delta may replace, or `any`. */
  constructor(options: { readonly over?: Over | undefined } = {}) {
    const { over } = options
    this.#over = typeof over === 'object' ? Object.freeze([...over].sort()) : over
  }

  /** Puts a file, 0644 root:root. Text is written as UTF-8; text and bytes are hashed now and kept in `contents`. */
  file(path: string, content: Blob | string | Uint8Array, attrs: PutAttributes = {}): this {
    return this.#put(path, { kind: 'file', ...owner(attrs, 0o644), blob: this.#blob(content) }, attrs)
  }

  /**
   * Puts a directory, 0755 root:root. One that is there stays, with what is in it, and takes the attributes that are
   * given here. A symbolic link to a directory stays too; then that directory is meant.
   */
  directory(path: string, attrs: PutAttributes = {}): this {
    return this.#add({ op: 'directory', path: checkPath(path), attributes: checked(path, attrs), ...stated(attrs) })
  }

  /** Puts a symbolic link; the target is kept as written and may be missing. */
  symlink(path: string, target: string, attrs: PutAttributes = {}): this {
    return this.#put(path, { kind: 'symlink', ...owner(attrs, 0o777), target }, attrs)
  }

  /** Puts a device node, 0600 root:root. */
  device(path: string, kind: DeviceEntry['kind'], major: number, minor: number, attrs: PutAttributes = {}): this {
    return this.#put(path, { kind, ...owner(attrs, 0o600), major, minor }, attrs)
  }

  /**
   * Puts all records of a tree below `at`, with their origins; the cost does not depend on their number. A directory
   * that both have keeps the attributes it has, unless it was only implied as a parent.
   */
  tree(tree: FileTree, at = '/'): this {
    return this.#add({ op: 'tree', at: checkPath(at), tree })
  }

  /**
   * Gives a file other content, and takes it over from its owner. It must exist (`TREE_MISSING`) and not be a
   * directory. Attributes that are not given stay; a record that was no file becomes 0644 root:root. A hard-linked
   * file changes under all its names.
   */
  replace(path: string, content: Blob | string | Uint8Array, attrs: PutAttributes = {}): this {
    const blob = this.#blob(content)
    checkEntry({ kind: 'file', ...owner(attrs, 0o644), blob }, checkPath(path))
    return this.#add({ op: 'replace', path, blob, attributes: checked(path, attrs), ...stated(attrs) })
  }

  /** Removes a record, a directory with everything in it. It must exist, unless `missing` is `ok`. */
  remove(path: string, options: { readonly missing?: 'ok' | undefined } = {}): this {
    return this.#add({ op: 'remove', path: checkPath(path), ...(options.missing && { missing: options.missing }) })
  }

  /** Changes attributes of a record that must exist. A symbolic link is not followed; hard links change together. */
  set(path: string, attrs: AttributeChanges): this {
    return this.#add({ op: 'set', path: checkPath(path), attributes: checked(path, attrs) })
  }

  build(): Delta {
    return {
      ops: [...this.#ops],
      ...(this.#over !== undefined && { over: this.#over }),
      contents: new Map(this.#contents),
    }
  }

  #put(path: string, entry: PutEntry, attrs: PutAttributes): this {
    return this.#add({ op: 'put', path: checkPath(path), entry: checkEntry(entry, path) as PutEntry, ...stated(attrs) })
  }

  #add(op: DeltaOp): this {
    this.#ops.push(Object.freeze(op))
    return this
  }

  #blob(content: Blob | string | Uint8Array): Blob {
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) return content
    const bytes = typeof content === 'string' ? Buffer.from(content) : Uint8Array.from(content)
    const digest = sha256(bytes)
    if (!this.#contents.has(digest)) this.#contents.set(digest, bytes)
    return { sha256: digest, size: bytes.length }
  }
}

const owner = ({ mode, uid, gid, xattrs }: AttributeChanges, usual: number) => ({
  mode: mode ?? usual,
  uid: uid ?? 0,
  gid: gid ?? 0,
  ...(xattrs && { xattrs }),
})
