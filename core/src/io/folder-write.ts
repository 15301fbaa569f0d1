import { constants } from 'node:fs'
import { chmod, copyFile, link, lutimes, mkdir, open, readdir, realpath, stat, symlink, utimes } from 'node:fs/promises'
import { ZosError } from '../error.js'
import { InFlight } from '../format/in-flight.js'
import type { BlobReader } from '../model/blobs.js'
import type { Blob, FileEntry, TreeRecord } from '../model/entry.js'
import { planFolder } from './folder-plan.js'

export interface WriteFolderOptions {
  /** Access and modification time of everything, in seconds since 1970. */
  readonly epoch: number
  /** Where a blob lies on the disk, so that it can be copied or reflinked; else it is read through `blobs`. */
  readonly blobPath?: (blob: Blob) => string
  /** Devices and FIFOs, which need root: an error (the default), or left out and named in the result. */
  readonly special?: 'refuse' | 'skip'
}

const smallBytes = 1024 ** 2
const writing = { tasks: 16, cost: 32 * 1024 ** 2 }

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
  const root = await emptyFolder(path)
  for (const { path: at } of plan.directories) if (at !== '/') await attempt(at, () => mkdir(root + at, 0o700))
  await inParallel(
    plan.files,
    ({ blob }) => Math.min(blob.size, smallBytes),
    async (file) => {
      await attempt(file.path, () => writeFile(root + file.path, file, blobs, options))
    },
  )
  await inParallel(plan.hardLinks, none, ({ path: at, first }) => attempt(at, () => link(root + first, root + at)))
  await inParallel(plan.symlinks, none, ({ path: at, target }) =>
    attempt(at, async () => {
      await symlink(target, root + at)
      await lutimes(root + at, epoch, epoch)
    }),
  )
  // From the deepest up: a directory that loses its write or search bit has all its content by then.
  for (const { path: at, mode } of [...plan.directories].reverse()) {
    await attempt(at, async () => {
      await utimes(root + at, epoch, epoch)
      await chmod(root + at, mode)
    })
  }
  if (plan.directories[0]?.path !== '/') await attempt(path, () => utimes(`${root}/`, epoch, epoch))
  return plan.special.map((record) => record.path)
}

const none = (): number => 0

const emptyFolder = (path: string): Promise<string> =>
  attempt(path, async () => {
    const made = await mkdir(path, { recursive: true, mode: 0o755 })
    const root = await realpath(path)
    if (made !== undefined) await chmod(root, 0o755)
    const [found] = await readdir(root)
    if (found === undefined) return root === '/' ? '' : root
    throw new ZosError('FOLDER_NOT_EMPTY', `${path} is to be written, but has ${JSON.stringify(found)} in it`, {
      hint: 'a tree is written to an empty or new folder only',
    })
  })

type FileRecord = TreeRecord & FileEntry

const writeFile = async (
  full: string,
  file: FileRecord,
  blobs: BlobReader,
  options: WriteFolderOptions,
): Promise<void> => {
  const { blob, mode } = file
  const { epoch, blobPath } = options
  if (blobPath) {
    await copyBlob(blobPath(blob), full, file)
    await utimes(full, epoch, epoch)
    await chmod(full, mode)
    return
  }
  const content = blob.size <= smallBytes ? [await blobs.read(blob)] : blobs.stream(blob)
  const handle = await open(full, createFlags, 0o600)
  try {
    for await (const bytes of content) await handle.writeFile(bytes)
    await handle.utimes(epoch, epoch)
    // Not left to open: there the umask has a say.
    await handle.chmod(mode)
  } finally {
    await handle.close()
  }
}

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** The store's copy may be gone or cut; the size is all that can be judged without reading it. */
const copyBlob = async (from: string, full: string, { path, blob }: FileRecord): Promise<void> => {
  const missing = (found: string): ZosError =>
    new ZosError('BLOB_MISSING', `the content of ${path}, ${blob.sha256} (${blob.size} bytes), ${found} at ${from}`)
  const { size } = await stat(from).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? missing('is not') : error
  })
  if (size !== blob.size) throw missing(`has ${size} bytes`)
  await copyFile(from, full, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
}

const inParallel = async <T>(
  items: Iterable<T>,
  cost: (item: T) => number,
  task: (item: T) => Promise<void>,
): Promise<void> => {
  const tasks = new InFlight(writing)
  try {
    for (const item of items) await tasks.add(cost(item), () => task(item))
    await tasks.done()
  } finally {
    await tasks.settle()
  }
}

const attempt = async <T>(path: string, write: () => Promise<T>): Promise<T> => {
  try {
    return await write()
  } catch (error) {
    if (error instanceof ZosError || !(error instanceof Error && 'syscall' in error)) throw error
    throw new ZosError('FOLDER_WRITE', `${path} cannot be written: ${error.message}`, { cause: error })
  }
}
