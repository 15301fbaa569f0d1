import type { Ref } from './artifact.js'
import type { Json } from './canonical.js'
import type { Blob } from './entry.js'

/** A file that the build leaves in its output folder. */
export interface OutputSpec {
  /** File name, such as `initramfs.cpio.xz`; may have folders (`flists/modules.fl`). */
  readonly name: string
  /** Selects the tap of the `pack` hook. */
  readonly format: string
  readonly options: Json
  /** Other outputs that this one is made of. */
  readonly from?: readonly string[]
  /** Artifacts that the tap may ask for. */
  readonly needs?: readonly Ref[]
}

/** What a pack tap gives: the file's bytes, further names for the same file, and a note for the table. */
export interface Packed {
  readonly blob: Blob
  readonly aliases?: readonly string[]
  /** Shown beside the name: `6.12.44-Zero-OS, zinit a1b2c3d`. */
  readonly note?: string
  readonly facts?: Readonly<Record<string, Json>>
}

/** One finished file. */
export interface Output extends Packed {
  readonly name: string
  readonly plugin: string
  readonly format: string
}

/** Where an output was published. */
export interface Receipt {
  readonly output: string
  readonly url: string
  readonly sha256: string
  /** What was done, if not simply sent: `was there`. */
  readonly note?: string
}

/** What a check found. An error fails the build; a warning is shown. */
export interface Finding {
  readonly level: 'error' | 'warning'
  /** Stable code, `ZINIT_UNIT_MISSING`. */
  readonly code: string
  /** What the finding is about: a path, a unit, a module. */
  readonly subject: string
  readonly message: string
  readonly hint?: string
}
