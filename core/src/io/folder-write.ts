import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  createReadStream,
  fchmodSync,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { diskError, ZosError } from '../error.js'
import { InFlight } from '../format/in-flight.js'
import type { BlobReader } from '../model/blobs.js'
import { sha256 } from '../model/canonical.js'
import type { Blob, FileEntry, TreeRecord } from '../model/entry.js'
import { breather } from './breather.js'
import { planFolder } from './folder-plan.js'

export interface WriteFolderOptions {
  /** Access and modification time of everything, in seconds since 1970. */
  readonly epoch: number
  /** The folder that blobs lie in, so that they can be copied or reflinked; else they are read through `blobs`. */
  readonly from?: BlobFolder
  /** Devices and FIFOs, which need root: an error (the default), or left out and named in the result. */
  readonly special?: 'refuse' | 'skip'
}

/** Blobs as files of the disk. */
export interface BlobFolder {
  /** Where a blob lies, or would. */
  path(blob: Blob): string
  /** Throws `BLOB_MISSING` where a blob's content turned out to have another digest. */
  check(blob: Blob, digest: string): void
}

/** Files up to here are read whole before they are written; larger ones are streamed. */
const smallBytes = 256 * 1024
const writing = { tasks: 16, cost: 16 * 1024 ** 2 }
const callsInOneGo = 32

/**
 * Writes records into a folder that is empty or not there yet, with modes and times but without owners and extended
 * attributes, so that no root is needed. Gives the paths that were skipped. Files never share an inode with the store.
 * Nothing is written outside: the folder starts empty, a record below a link is refused, and links are made last.
 * Errors: `FOLDER_NOT_EMPTY`, `FOLDER_CONFLICT`, `FOLDER_DEVICE`, `FOLDER_WRITE`, `BLOB_MISSING`, `TREE_PATH`; what was
 * written by then stays.
 */
export const writeFolder = async (
  records: Iterable<TreeRecord>,
  blobs: BlobReader,
  path: string,
  options: WriteFolderOptions,
): Promise<readonly string[]> => {
  const { epoch, special = 'refuse' } = options
  const plan = planFolder(records)
  const [device] = plan.special
  if (device && special === 'refuse') {
    throw new ZosError('FOLDER_DEVICE', `${device.path} is a ${device.kind}, which only root can make in a folder`, {
      hint: 'write the tree to a tar or cpio archive, or leave such records out',
    })
  }
  const root = attempt(path, () => emptyFolder(path))
  const breathe = breather(callsInOneGo)
  const each = async <T extends { readonly path: string }>(
    items: Iterable<T>,
    make: (item: T, full: string) => void,
  ) => {
    for (const item of items) {
      await breathe()
      attempt(item.path, () => make(item, root + item.path))
    }
  }
  await each(plan.directories, ({ path: at }, full) => {
    if (at !== '/') mkdirSync(full, 0o700)
  })
  await writeFiles(plan.files, root, blobs, options, breathe)
  await each(plan.hardLinks, ({ first }, full) => linkSync(root + first, full))
  await each(plan.symlinks, ({ target }, full) => {
    symlinkSync(target, full)
    lutimesSync(full, epoch, epoch)
  })
  // From the deepest up: a directory that loses its write or search bit has all its content by then.
  await each([...plan.directories].reverse(), ({ mode }, full) => {
    utimesSync(full, epoch, epoch)
    chmodSync(full, mode)
  })
  if (plan.directories[0]?.path !== '/') attempt(path, () => utimesSync(`${root}/`, epoch, epoch))
  return plan.special.map((record) => record.path)
}

const emptyFolder = (path: string): string => {
  const made = mkdirSync(path, { recursive: true, mode: 0o755 })
  const root = realpathSync(path)
  if (made !== undefined) chmodSync(root, 0o755)
  const [found] = readdirSync(root)
  if (found === undefined) return root === '/' ? '' : root
  throw new ZosError('FOLDER_NOT_EMPTY', `${path} is to be written, but has ${JSON.stringify(found)} in it`, {
    hint: 'a tree is written to an empty or new folder only',
  })
}

type FileRecord = TreeRecord & FileEntry

const writeFiles = async (
  files: readonly FileRecord[],
  root: string,
  blobs: BlobReader,
  { epoch, from }: WriteFolderOptions,
  breathe: () => Promise<void>,
): Promise<void> => {
  const writes = new InFlight(writing)
  try {
    for (const file of files) {
      await breathe()
      await writes.add(Math.min(file.blob.size, smallBytes), async () => {
        const full = root + file.path
        if (from) await copyFrom(from, full, file, epoch)
        else await writeFrom(blobs, full, file, epoch)
      })
    }
    await writes.done()
  } finally {
    await writes.settle()
  }
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

const writeFrom = async (blobs: BlobReader, full: string, file: FileRecord, epoch: number): Promise<void> => {
  const { path, blob, mode } = file
  const content = blob.size <= smallBytes ? [await blobs.read(blob)] : blobs.stream(blob)
  const descriptor = attempt(path, () => openSync(full, createFlags, 0o600))
  try {
    for await (const bytes of content) attempt(path, () => writeFileSync(descriptor, bytes))
    attempt(path, () => {
      futimesSync(descriptor, epoch, epoch)
      // Not left to open: there the umask has a say.
      fchmodSync(descriptor, mode)
    })
  } finally {
    closeSync(descriptor)
  }
}

/** The store's copy may be gone, cut or damaged: what was copied is judged by its digest. */
const copyFrom = async (folder: BlobFolder, full: string, file: FileRecord, epoch: number): Promise<void> => {
  const { path, blob, mode } = file
  const from = folder.path(blob)
  const size = attempt(path, () => statSync(from, { throwIfNoEntry: false })?.size)
  if (size !== blob.size) {
    const found = size === undefined ? 'is not' : `has ${size} bytes`
    throw new ZosError(
      'BLOB_MISSING',
      `the content of ${path}, ${blob.sha256} (${blob.size} bytes), ${found} at ${from}`,
    )
  }
  if (size <= smallBytes) {
    const bytes = attempt(path, () => readFileSync(from))
    folder.check(blob, sha256(bytes))
    attempt(path, () => writeFileSync(full, bytes, { flag: 'wx', mode: 0o600 }))
  } else {
    await copyFile(from, full, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch((error) => {
      throw writeError(path, error)
    })
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(full, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array)
    folder.check(blob, hash.digest('hex'))
  }
  attempt(path, () => {
    utimesSync(full, epoch, epoch)
    chmodSync(full, mode)
  })
}

const attempt = <T>(path: string, write: () => T): T => {
  try {
    return write()
  } catch (error) {
    throw writeError(path, error)
  }
}

const writeError = (path: string, error: unknown): unknown => {
  if (error instanceof ZosError || !(error instanceof Error && 'syscall' in error)) return error
  const disk = diskError(error)
  if (disk) return disk
  return new ZosError('FOLDER_WRITE', `${path} cannot be written: ${error.message}`, { cause: error })
}
