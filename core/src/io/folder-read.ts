import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, readlink, realpath } from 'node:fs/promises'
import { ZosError } from '../error.js'
import { archiveLimits } from '../format/archive-limits.js'
import { decodeUtf8 } from '../format/archive-path.js'
import { InFlight } from '../format/in-flight.js'
import type { BlobWriter } from '../model/blobs.js'
import type { Blob, Origin, TreeRecord } from '../model/entry.js'
import { joinPath, quote } from '../model/tree-path.js'

export interface ReadFolderOptions {
  /** Whether to leave something out; `path` is relative to the folder, without a leading `/`. */
  readonly ignore?: (path: string, isDirectory: boolean) => boolean
  /** Owner of every record: root (the default), another, or as the files have it. */
  readonly owner?: { readonly uid: number; readonly gid: number } | 'keep'
  /** `keep` (the default), or as git keeps them: 0755 for directories and what its owner may execute, else 0644. */
  readonly modes?: 'keep' | 'git'
  /** Whether names of one inode become hard links; else (the default) each is a file of its own. */
  readonly hardLinks?: boolean
  /** Put on every record. */
  readonly origin?: Origin
}

/** Files up to here are read whole, several at once; larger ones are streamed. */
const smallBytes = 1024 ** 2
const reading = { tasks: 16, cost: 32 * 1024 ** 2 }
const statsAtOnce = 64

interface Seen {
  readonly path: string
  /** Where it is on the disk. */
  readonly full: string
  readonly stats: Stats
}

/**
 * Reads a folder into records, in the order of a tree's records, and its files into the store. Symbolic links are kept,
 * extended attributes are not read. The folder itself is no record. Errors: `FOLDER_READ`, `FOLDER_NAME` (not UTF-8),
 * `FOLDER_SOCKET`, `FOLDER_CHANGED` (while it was read), `FOLDER_LIMIT`.
 */
export const readFolder = async (
  path: string,
  blobs: BlobWriter,
  options: ReadFolderOptions = {},
): Promise<TreeRecord[]> => {
  const seen: Seen[] = []
  await list(await attempt(path, () => realpath(path)), '/', options, seen)
  const groups = inodesOf(seen, options.hardLinks === true)
  const contents = new Map<readonly Seen[], Blob>()
  const targets = new Map<Seen, string>()
  const reads = new InFlight(reading)
  try {
    for (const one of seen) {
      const group = groups.get(one)
      if (one.stats.isSymbolicLink()) await reads.add(0, async () => void targets.set(one, await targetOf(one.full)))
      if (!group || group[0] !== one) continue
      await reads.add(Math.min(one.stats.size, smallBytes), async () => {
        contents.set(group, await readContent(one, blobs))
      })
    }
    await reads.done()
  } finally {
    await reads.settle()
  }
  return seen.map((one) => {
    const { path: at, stats } = one
    const owner = options.owner === 'keep' ? { uid: stats.uid, gid: stats.gid } : (options.owner ?? { uid: 0, gid: 0 })
    const mode = modeOf(stats, options)
    const attributes = {
      path: at,
      mode,
      uid: owner.uid,
      gid: owner.gid,
      ...(options.origin && { origin: options.origin }),
    }
    const group = groups.get(one)
    const blob = group && contents.get(group)
    if (group && blob) {
      const [first] = group
      return { ...attributes, kind: 'file', blob, ...(first && group.length > 1 && { link: first.path }) }
    }
    const target = targets.get(one)
    if (target !== undefined) return { ...attributes, kind: 'symlink', target }
    if (stats.isDirectory()) return { ...attributes, kind: 'directory' }
    if (stats.isFIFO()) return { ...attributes, kind: 'fifo' }
    return { ...attributes, kind: stats.isBlockDevice() ? 'block' : 'character', ...deviceOf(stats.rdev) }
  })
}

/** Adds what is in a directory, depth first, names in code unit order. */
const list = async (full: string, path: string, options: ReadFolderOptions, seen: Seen[]): Promise<void> => {
  const names = (await attempt(full, () => readdir(full, { encoding: 'buffer' }))).map((bytes) => nameOf(bytes, full))
  names.sort()
  for (let start = 0; start < names.length; start += statsAtOnce) {
    const some = names.slice(start, start + statsAtOnce).map(async (name) => {
      const child = `${full}/${name}`
      return { path: joinPath(path, name), full: child, stats: await attempt(child, () => lstat(child)) }
    })
    for (const one of await Promise.all(some)) {
      if (options.ignore?.(one.path.slice(1), one.stats.isDirectory())) continue
      if (one.stats.isSocket()) {
        throw new ZosError('FOLDER_SOCKET', `${one.full} is a socket; expected files, directories, links and devices`, {
          hint: 'stop what listens there, or leave the folder out',
        })
      }
      seen.push(one)
      if (seen.length > archiveLimits.entries) {
        throw new ZosError('FOLDER_LIMIT', `${one.full}: more than ${archiveLimits.entries} entries`)
      }
      if (one.stats.isDirectory()) await list(one.full, one.path, options, seen)
    }
  }
}

const nameOf = (bytes: Buffer, full: string): string => {
  const name = decodeUtf8(bytes)
  if (name !== undefined) return name
  const shown = quote(bytes.toString('latin1'))
  throw new ZosError('FOLDER_NAME', `${full}: the name ${shown} (shown as Latin-1) is not UTF-8`, { hint: 'rename it' })
}

/** Files by inode: each file with all names of its inode, or alone where names are not to be joined. */
const inodesOf = (seen: readonly Seen[], joined: boolean): ReadonlyMap<Seen, readonly Seen[]> => {
  const byInode = new Map<string, Seen[]>()
  const groups = new Map<Seen, readonly Seen[]>()
  for (const one of seen) {
    if (!one.stats.isFile()) continue
    const inode = `${one.stats.dev}:${one.stats.ino}`
    const group = (joined && one.stats.nlink > 1 ? byInode.get(inode) : undefined) ?? []
    group.push(one)
    byInode.set(inode, group)
    groups.set(one, group)
  }
  return groups
}

/** O_NONBLOCK: a FIFO that took the file's place must not hang the open. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const readContent = ({ full, stats: before }: Seen, blobs: BlobWriter): Promise<Blob> =>
  attempt(full, async () => {
    const handle = await open(full, openFlags)
    try {
      const stats = await handle.stat()
      const same = stats.isFile() && stats.ino === before.ino && stats.dev === before.dev
      const small = stats.size <= smallBytes
      const content = small
        ? await handle.readFile()
        : handle.createReadStream({ autoClose: false, highWaterMark: smallBytes })
      const blob = await blobs.put(content)
      if (same && blob.size === stats.size && blob.size === before.size) return blob
      throw new ZosError('FOLDER_CHANGED', `${full} changed while it was read`, {
        hint: 'try again once it is at rest',
      })
    } finally {
      await handle.close()
    }
  })

const targetOf = (full: string): Promise<string> =>
  attempt(full, async () => {
    const target = decodeUtf8(await readlink(full, { encoding: 'buffer' }))
    if (target === undefined) throw new ZosError('FOLDER_NAME', `${full} is a link whose target is not UTF-8`)
    return target
  })

const modeOf = (stats: Stats, { modes }: ReadFolderOptions): number => {
  if (modes !== 'git' || stats.isSymbolicLink()) return stats.mode & 0o7777
  return stats.isDirectory() || (stats.mode & 0o100) !== 0 ? 0o755 : 0o644
}

/** Linux spreads a device number over 64 bits: glibc's gnu_dev_major and gnu_dev_minor. */
const deviceOf = (rdev: number): { major: number; minor: number } => {
  const bits = BigInt(rdev)
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xff_ff00n)),
  }
}

const attempt = async <T>(path: string, read: () => Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ZosError || !(error instanceof Error && 'syscall' in error)) throw error
    throw new ZosError('FOLDER_READ', `${path} cannot be read: ${error.message}`, { cause: error })
  }
}
