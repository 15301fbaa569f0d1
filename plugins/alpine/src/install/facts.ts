import type { FileTree } from '@zos/core'
import type { PackageInfo } from '../format/pkginfo.js'
import type { ScriptName } from '../format/write-apk.js'

/** What is known of an unpacked package beside its tree; kept with it in the store. */
export type PackageFacts = {
  readonly info: PackageInfo
  /** Bytes of the package file. */
  readonly size: number
  readonly scripts: Readonly<Partial<Record<ScriptName, string>>>
  /** Folders and files as the archive has them, in its order; folders end in `/`. */
  readonly paths: readonly string[]
  /** SHA-1 of files and of links' targets by path, 40 hex digits. */
  readonly sha1: Readonly<Record<string, string>>
  /** Names of owner and group by path, where they are not root's: their numbers are the image's own. */
  readonly owners: Readonly<Record<string, readonly [user: string, group: string]>>
}

/** A package as it lies unpacked in the store. */
export interface UnpackedPackage {
  readonly name: string
  /** Checksum of its control segment, as the index has it. */
  readonly control: string
  readonly tag?: string
  readonly tree: FileTree
  readonly facts: PackageFacts
}
