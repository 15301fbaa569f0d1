import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { ZosError } from '../error.js'
import { archiveLimits } from '../format/archive-limits.js'
import { decodeUtf8 } from '../format/archive-path.js'
import { InFlight } from '../format/in-flight.js'
import type { BlobWriter } from '../model/blobs.js'
import type { Blob, Origin, TreeRecord } from '../model/entry.js'
import { joinPath, quote } from '../model/tree-path.js'
import { breather } from './breather.js'

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
  /** The content of a file by its path on the disk, where the store has it already and the file has not changed since. */
  readonly known?: (file: string) => Promise<Blob | undefined>
  /** Called for every entry, with what the disk says of it and a record does not: its times. */
  readonly onEntry?: (path: string, stats: Stats) => void
}

/** Files up to here are read whole; larger ones are streamed. */
const smallBytes = 256 * 1024
const reading = { tasks: 16, cost: 16 * 1024 ** 2 }
const callsInOneGo = 64

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
  const breathe = breather(callsInOneGo)
  await list(
    attempt(path, () => realpathSync(path)),
    '/',
    options,
    seen,
    breathe,
  )
  const groups = inodesOf(seen, options.hardLinks === true)
  const contents = new Map<readonly Seen[], Blob>()
  const reads = new InFlight(reading)
  try {
    for (const one of seen) {
      const group = groups.get(one)
      if (!group || group[0] !== one) continue
      await breathe()
      await reads.add(Math.min(one.stats.size, smallBytes), async () => {
        contents.set(group, (await options.known?.(one.full)) ?? (await readContent(one, blobs)))
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
    if (stats.isSymbolicLink()) return { ...attributes, kind: 'symlink', target: targetOf(one.full) }
    if (stats.isDirectory()) return { ...attributes, kind: 'directory' }
    if (stats.isFIFO()) return { ...attributes, kind: 'fifo' }
    return { ...attributes, kind: stats.isBlockDevice() ? 'block' : 'character', ...deviceOf(stats.rdev) }
  })
}

/** Adds what is in a directory, depth first, names in code unit order. */
const list = async (
  full: string,
  path: string,
  options: ReadFolderOptions,
  seen: Seen[],
  breathe: () => Promise<void>,
): Promise<void> => {
  const names = attempt(full, () => readdirSync(full, { encoding: 'buffer' })).map((bytes) => nameOf(bytes, full))
  for (const name of names.sort()) {
    await breathe()
    const child = `${full}/${name}`
    const one = { path: joinPath(path, name), full: child, stats: attempt(child, () => lstatSync(child)) }
    if (options.ignore?.(one.path.slice(1), one.stats.isDirectory())) continue
    if (one.stats.isSocket()) {
      throw new ZosError('FOLDER_SOCKET', `${child} is a socket; expected files, directories, links and devices`, {
        hint: 'stop what listens there, or leave the folder out',
      })
    }
    seen.push(one)
    options.onEntry?.(one.path, one.stats)
    if (seen.length > archiveLimits.entries) {
      throw new ZosError('FOLDER_LIMIT', `${child}: more than ${archiveLimits.entries} entries`)
    }
    if (one.stats.isDirectory()) await list(child, one.path, options, seen, breathe)
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

const readContent = async (seen: Seen, blobs: BlobWriter): Promise<Blob> => {
  const blob = seen.stats.size > smallBytes ? await putLarge(seen, blobs) : await blobs.put(readSmall(seen))
  if (blob.size === seen.stats.size) return blob
  throw changed(seen)
}

const readSmall = (seen: Seen): Uint8Array =>
  attempt(seen.full, () => {
    const file = openSync(seen.full, openFlags)
    try {
      checkSame(seen, fstatSync(file))
      return readFileSync(file)
    } finally {
      closeSync(file)
    }
  })

const putLarge = async (seen: Seen, blobs: BlobWriter): Promise<Blob> => {
  const handle = await open(seen.full, openFlags).catch((error) => {
    throw readError(seen.full, error)
  })
  try {
    checkSame(seen, await handle.stat())
    return await blobs.put(handle.createReadStream({ autoClose: false, highWaterMark: smallBytes }))
  } finally {
    await handle.close()
  }
}

const checkSame = (seen: Seen, { ino, dev, size }: Stats): void => {
  if (ino !== seen.stats.ino || dev !== seen.stats.dev || size !== seen.stats.size) throw changed(seen)
}

const changed = ({ full }: Seen): ZosError =>
  new ZosError('FOLDER_CHANGED', `${full} changed while it was read`, { hint: 'try again once it is at rest' })

const targetOf = (full: string): string =>
  attempt(full, () => {
    const target = decodeUtf8(readlinkSync(full, { encoding: 'buffer' }))
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

const attempt = <T>(path: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    throw readError(path, error)
  }
}

const readError = (path: string, error: unknown): unknown => {
  if (error instanceof ZosError || !(error instanceof Error && 'syscall' in error)) return error
  return new ZosError('FOLDER_READ', `${path} cannot be read: ${error.message}`, { cause: error })
}
