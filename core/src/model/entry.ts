/** Who put a record into a tree: a plugin, and where it applies a package and the source it came from. */
export interface Origin {
  readonly plugin: string
  readonly package?: string
  readonly source?: string
}

/** A content-addressed run of bytes: SHA-256 as 64 hex digits, and its size in bytes. */
export interface Blob {
  readonly sha256: string
  readonly size: number
}

interface Attributes {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Extended attributes by full name (`security.capability`); values are base64. */
  readonly xattrs?: Readonly<Record<string, string>>
  readonly origin?: Origin
}

export interface FileEntry extends Attributes {
  readonly kind: 'file'
  readonly blob: Blob
  /** Entries of one tree with the same value are hard links of one file; the value is the path of the first of them. */
  readonly link?: string
}
export interface DirectoryEntry extends Attributes {
  readonly kind: 'directory'
}
export interface SymlinkEntry extends Attributes {
  readonly kind: 'symlink'
  readonly target: string
}
export interface DeviceEntry extends Attributes {
  readonly kind: 'character' | 'block'
  readonly major: number
  readonly minor: number
}
export interface FifoEntry extends Attributes {
  readonly kind: 'fifo'
}

/** One record of a root file system, without its path. There are no times: outputs take the build's epoch. */
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry | DeviceEntry | FifoEntry

/** An entry with its absolute path (`/usr/bin/env`), UTF-8, normal form: no `.`, `..`, `//` or trailing `/`. */
export type TreeRecord = Entry & { readonly path: string }
