// Host files as plugin commands see them.
import { randomBytes } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { appendFile, copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CommandContext, HostFile } from '../command.js'
import { ExitCode, ZosError } from '../error.js'
import { stampOf } from '../io/stamp.js'

type Files = CommandContext['files']

/** A file younger than this when it is read may change again within one tick of the disk's clock. Nanoseconds. */
const racy = 2_000_000_000n

const hostFile = (root: string, path: string, now: number): HostFile => {
  const stamp = stampOf(`${root}${path}`)
  const isOld = stamp !== undefined && BigInt(now) * 1_000_000n - stamp.changed > racy
  return { path, size: Number(stamp?.text.split(':')[2] ?? 0), stamp: isOld ? stamp.text : undefined }
}

const bytes: Files['bytes'] = async (path, limit) => {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) return undefined
  if (size > limit)
    throw new ZosError('FILE_SIZE', `${path} has ${size} bytes; expected at most ${limit}`, { exit: ExitCode.usage })
  return readFile(path)
}

/** The name changes once the content is on the disk. */
const replace: Files['replace'] = async (path, content) => {
  await mkdir(dirname(path), { recursive: true })
  const temporary = join(dirname(path), `.${randomBytes(9).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', 0o644)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new ZosError('FILE_WRITE', `${path} cannot be written: ${(cause as Error).message}`, { cause })
  }
}

const readFolderFor =
  (now: () => number): Files['readFolder'] =>
  async (path, contents, known) => {
    const { readFolder } = await import('../io/folder-read.js')
    const times = new Map<string, number>()
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found?.isDirectory())
      throw new ZosError('FOLDER_READ', `${path}: expected a folder, found ${found ? 'something else' : 'nothing'}`, {
        exit: ExitCode.usage,
      })
    const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)
    const root = realpathSync(path)
    const records = await readFolder(root, contents, {
      owner: 'keep',
      hardLinks: true,
      onEntry: (at, stats) => void times.set(at, seconds(stats.mtimeMs)),
      ...(known && { known: (file: string) => known(hostFile(root, file.slice(root.length), now())) }),
    })
    const { mode, uid, gid, mtimeMs } = found
    return [
      { path: '/', kind: 'directory', mode: mode & 0o7777, uid, gid, mtime: seconds(mtimeMs) },
      ...records.map((record) => ({ ...record, mtime: times.get(record.path) ?? 0 })),
    ]
  }

const noneIfMissing = (cause: NodeJS.ErrnoException): undefined => {
  if (cause.code !== 'ENOENT') throw cause
}

export const commandFiles = (now: () => number): Files => ({
  exists: (path) =>
    stat(path).then(
      () => true,
      () => false,
    ),
  text: (path) => readFile(path, 'utf8').catch(() => undefined),
  list: async (path) => {
    const names = await readdir(path).catch(noneIfMissing)
    return (names ?? []).sort()
  },
  copy: (from, to) => copyFile(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
  makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
  write: (path, content) => writeFile(path, content),
  append: (path, content) => appendFile(path, content),
  bytes,
  replace,
  readFolder: readFolderFor(now),
  writeFolder: async (path, records, contents, epoch) => {
    const { writeFolder } = await import('../io/folder-write.js')
    return writeFolder(records, contents, path, { epoch, special: 'skip' })
  },
})
