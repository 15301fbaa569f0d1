import { type BigIntStats, statSync } from 'node:fs'

/** What changes when a file or folder changes, and when that was last. */
export interface Stamp {
  readonly text: string
  readonly isFile: boolean
  /** Nanoseconds since 1970. */
  readonly changed: bigint
}

/** Device, inode, size, mtime and ctime of a path, links followed; `undefined` where there is nothing. */
export const stampOf = (path: string): Stamp | undefined => {
  let found: BigIntStats | undefined
  try {
    found = statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    // Below a file, or not to be looked at: as if there were nothing.
  }
  if (!found) return undefined
  return {
    text: `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`,
    isFile: found.isFile(),
    changed: found.ctimeNs,
  }
}
