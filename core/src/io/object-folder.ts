// Objects as files of a folder. A file appears whole or not at all; temporary names begin with a dot and are no objects.
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isZosError } from '../error.js'
import type { FolderLocation, ObjectContent, ObjectInfo, ObjectStore, PutOptions } from '../model/object-store.js'
import { objectChanged, objectFailure, objectTooLarge } from './object-failure.js'
import { checkKey, shownObjectUrl } from './object-location.js'

/** Milliseconds after which a lock is taken for one of a process that died; a locked write takes a few. */
const staleLock = 10_000

const chunksOf = (content: ObjectContent): AsyncIterable<Uint8Array> | Uint8Array => {
  if (typeof content === 'string') return Buffer.from(content)
  return content instanceof Uint8Array ? content : content.reader.stream(content.blob)
}

export const openFolder = (location: FolderLocation, signal: AbortSignal): ObjectStore => {
  const root = location.path
  const url = (key?: string): string => shownObjectUrl(location, key)
  const pathOf = (key: string): string => join(root, checkKey(key))

  const guarded = async <T>(key: string | undefined, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (cause) {
      throw objectFailure(url(key), cause).error
    }
  }

  const infoOf = async (key: string): Promise<ObjectInfo | undefined> => {
    const found = await stat(join(root, key), { bigint: true }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return undefined
      throw cause
    })
    if (!found?.isFile()) return undefined
    return {
      key,
      size: Number(found.size),
      etag: `${found.ino}-${found.size}-${found.mtimeNs}`,
      modified: Number(found.mtimeMs),
    }
  }

  const writeTemporary = async (target: string, content: ObjectContent, durable: boolean): Promise<string> => {
    const temporary = join(dirname(target), `.${randomBytes(9).toString('hex')}`)
    const file = await open(temporary, 'wx', 0o644).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause
      await mkdir(dirname(target), { recursive: true })
      return open(temporary, 'wx', 0o644)
    })
    try {
      const chunks = chunksOf(content)
      if (chunks instanceof Uint8Array) await file.writeFile(chunks)
      else for await (const chunk of chunks) await file.writeFile(chunk)
      // A name must not stand for content that a power cut takes away.
      if (durable) await file.sync()
    } catch (cause) {
      await file.close()
      await rm(temporary, { force: true })
      throw cause
    }
    await file.close()
    return temporary
  }

  /** One writer at a time compares and replaces. */
  const locked = async (target: string, work: () => Promise<void>): Promise<void> => {
    const lock = `${dirname(target)}/.lock-${target.slice(dirname(target).length + 1)}`
    for (;;) {
      signal.throwIfAborted()
      try {
        await (await open(lock, 'wx')).close()
        break
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
        const held = await stat(lock).catch(() => undefined)
        if (held && Date.now() - held.mtimeMs > staleLock) await rm(lock, { force: true })
        else await sleep(20)
      }
    }
    try {
      await work()
    } finally {
      await rm(lock, { force: true })
    }
  }

  const place = async (key: string, temporary: string, target: string, options: PutOptions): Promise<void> => {
    if (options.ifAbsent)
      return link(temporary, target).catch((cause: NodeJS.ErrnoException) => {
        throw cause.code === 'EEXIST' ? objectChanged(url(key)) : cause
      })
    if (options.ifMatch === undefined) return rename(temporary, target)
    await locked(target, async () => {
      if ((await infoOf(key))?.etag !== options.ifMatch) throw objectChanged(url(key))
      await rename(temporary, target)
    })
  }

  async function* walk(folder: string, prefix: string): AsyncIterable<ObjectInfo> {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return []
      throw cause
    })
    // As keys are sorted: a folder's name counts with its slash.
    const names = entries
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => ({ entry, name: entry.isDirectory() ? `${entry.name}/` : entry.name }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const { entry, name } of names) {
      const key = folder + name
      if (entry.isDirectory()) {
        if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(key, prefix)
        continue
      }
      const info = key.startsWith(prefix) ? await infoOf(key) : undefined
      if (info) yield info
    }
  }

  return {
    url,
    put: (key, content, options = {}) =>
      guarded(key, async () => {
        const target = pathOf(key)
        const temporary = await writeTemporary(target, content, options.durable !== false)
        try {
          await place(key, temporary, target, options)
        } finally {
          await rm(temporary, { force: true })
        }
        return { etag: (await infoOf(key))?.etag ?? '' }
      }),
    async *get(key, { limit }) {
      let total = 0
      try {
        for await (const chunk of createReadStream(pathOf(key), { highWaterMark: 1 << 20, signal })) {
          total += (chunk as Uint8Array).length
          if (total > limit) throw objectTooLarge(url(key), limit)
          yield chunk as Uint8Array
        }
      } catch (cause) {
        signal.throwIfAborted()
        throw objectFailure(url(key), cause).error
      }
    },
    read: (key, { limit }) =>
      guarded(key, async () => {
        const info = await infoOf(checkKey(key))
        if (!info) return undefined
        if (info.size > limit) throw objectTooLarge(url(key), limit)
        return { bytes: await readFile(pathOf(key)), etag: info.etag }
      }),
    head: (key) => guarded(key, () => infoOf(checkKey(key))),
    async *list(prefix = '') {
      try {
        yield* walk('', prefix)
      } catch (cause) {
        throw isZosError(cause) ? cause : objectFailure(url(), cause).error
      }
    },
    remove: (key) => guarded(key, () => rm(pathOf(key), { force: true })),
    close: () => undefined,
  }
}
