import type { Json } from './canonical.js'
import type { Blob } from './entry.js'
import type { FileTree } from './tree.js'

/** Something to fetch: a kind (`http`, `git`, `path`, `crate`, …) and that kind's own plain data; `live: true` where nothing pins it. */
export interface Source {
  readonly kind: string
  readonly [key: string]: Json | undefined
}

/** Whether a source is looked at anew on every build and pinned by nothing: a folder of the project, the host's own tools. */
export const isLiveSource = ({ kind, live }: Source): boolean => kind === 'path' || live === true

/** A source with the pin that the lock holds for it, or `null` where the source states its own digest. */
export interface PinnedSource {
  readonly name: string
  readonly source: Source
  readonly pin: Json
}

/** What a source gave: bytes or a tree, facts about it, and further sources that it made known. */
export interface Fetched {
  readonly blob?: Blob
  readonly tree?: FileTree
  /** Plain facts, such as `{ commit, describe, time }` of a git source. */
  readonly facts?: Json
  /** Sources found inside (a Cargo.lock, submodules); they are pinned and fetched as `<name>/<key>`. */
  readonly sources?: Readonly<Record<string, Source>>
}

export interface HttpOptions {
  /** SHA-256 of the content, 64 hex digits. Without it the lock pins what the first fetch finds. */
  readonly sha256?: string
  /** Size in bytes, where it is known. */
  readonly size?: number
  /** Limit in bytes; 1 GiB where nothing else is said. */
  readonly maxSize?: number
}

/** A file over HTTP(S); several URLs are mirrors of one file, tried in order. */
export const http = (url: string | readonly string[], options: HttpOptions = {}): Source => ({
  kind: 'http',
  urls: typeof url === 'string' ? [url] : [...url],
  ...options,
})

export interface GitOptions {
  /** Branch, tag or full commit. A branch moves only by `zos update`. */
  readonly ref: string
  /** Submodules are fetched too; on where nothing else is said. */
  readonly submodules?: boolean
  /**
   * The commits before it, which `git describe` counts; on where nothing else is said. Without them the tree has no `.git`,
   * and only this commit is fetched where the server gives single ones.
   */
  readonly history?: boolean
}

/** A commit of a git repository, with enough history for `git describe`. */
export const git = (url: string, options: GitOptions): Source => ({ kind: 'git', url, ...options })

/** A folder of the project; follows `.gitignore` and never takes `target`, `node_modules`, `dist` and `.zos`. */
export const path = (folder: string): Source => ({ kind: 'path', path: folder })
