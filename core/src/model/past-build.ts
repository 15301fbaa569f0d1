import type { Blob } from './entry.js'
import type { Manifest } from './manifest.js'

/** What is kept of a finished build, so that it can be compared with another. */
export interface KeptBuild {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly manifest: Manifest
  /** The finished root file system. */
  readonly tree: { readonly digest: string; readonly blob: Blob }
  /** Versions by package URL without version. */
  readonly packages: Readonly<Record<string, string>>
  /** Small files that components gave, such as a kernel's `config`, by `component:slot`. */
  readonly files: Readonly<Record<string, Blob>>
  /** Text of the lock. */
  readonly lock: Blob
}

/** Builds of one config that are kept. */
export const mostKept = 20
