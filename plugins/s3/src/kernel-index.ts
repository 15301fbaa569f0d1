// kernels.txt and kernels.json: what a folder of kernels holds, for those who cannot list it. Made anew from a listing.
import { isZosError, type ObjectInfo, type ObjectStore, ZosError } from '@zos/core'

/** Times that an index is written when others write it too; each of them needs a listing, so this is never reached. */
const mostTries = 30
/** Bytes of an index that are read. */
const indexLimit = 16 << 20

/** Kernels directly in a folder, newest first; of the same time, by name. */
export const listKernels = async (store: ObjectStore, folder: string): Promise<readonly ObjectInfo[]> => {
  const found: ObjectInfo[] = []
  for await (const info of store.list(`${folder}/`)) {
    const name = info.key.slice(folder.length + 1)
    if (name.endsWith('.efi') && !name.includes('/')) found.push({ ...info, key: name })
  }
  return found.sort((a, b) => b.modified - a.modified || (a.key < b.key ? 1 : -1))
}

/** `2025-01-04T12:00:00Z` of seconds since 1970. */
const timeText = (seconds: number): string =>
  // biome-ignore lint/style/noRestrictedGlobals: turns a time that it is given into text; it asks no clock.
  new Date(seconds * 1000).toISOString().replace('.000', '')

interface IndexFile {
  readonly name: string
  readonly contentType: string
  render(kernels: readonly string[], now: number): string
  /** The names in a file that is there; `undefined` where it is no index. */
  names(text: string): readonly string[] | undefined
}

const indexFiles: readonly IndexFile[] = [
  {
    name: 'kernels.json',
    contentType: 'application/json',
    render: (kernels, now) => `${JSON.stringify({ kernels, updated: timeText(now), count: kernels.length })}\n`,
    names: (text) => {
      try {
        return (JSON.parse(text) as { kernels?: readonly string[] }).kernels
      } catch {
        return undefined
      }
    },
  },
  {
    name: 'kernels.txt',
    contentType: 'text/plain; charset=utf-8',
    render: (kernels) => kernels.map((name) => `${name}\n`).join(''),
    names: (text) => text.split('\n').slice(0, -1),
  },
]

const isCode = (error: unknown, code: string): boolean => isZosError(error) && error.code === code

/** Writes only over what was read; a server that knows no conditional writes just writes. Gives whether it did. */
const write = async (store: ObjectStore, key: string, text: string, contentType: string, etag: string | undefined) => {
  try {
    await store.put(key, text, { contentType, ...(etag === undefined ? { ifAbsent: true } : { ifMatch: etag }) })
  } catch (error) {
    if (isCode(error, 'OBJECTS_UNSUPPORTED')) await store.put(key, text, { contentType })
    else if (!isCode(error, 'OBJECT_CHANGED') && !isCode(error, 'OBJECT_MISSING')) throw error
  }
}

/**
 * Writes one index file until it says what the listing says. The file is read before the listing, and written only if it
 * is still the same: of two publishers the later one has both kernels in its listing. After each write everything is
 * looked at again, which also holds on servers that ignore the condition.
 */
const remakeFile = async (
  store: ObjectStore,
  folder: string,
  now: number,
  without: ReadonlySet<string>,
  file: IndexFile,
): Promise<readonly string[]> => {
  const key = `${folder}/${file.name}`
  for (let run = 0; run < mostTries; run++) {
    const there = await store.read(key, { limit: indexLimit })
    const kernels = (await listKernels(store, folder)).map((one) => one.key).filter((name) => !without.has(name))
    const names = there && file.names(Buffer.from(there.bytes).toString('utf8'))
    if (names && names.length === kernels.length && names.every((name, index) => name === kernels[index]))
      return kernels
    await write(store, key, file.render(kernels, now), file.contentType, there?.etag)
  }
  throw new ZosError('INDEX_RACE', `${store.url(key)}: others wrote it ${mostTries} times while it was made`, {
    hint: 'zos index makes it again',
  })
}

/** Makes both files anew from the listing; gives the kernels, newest first. `now`: seconds since 1970. */
export const remakeIndex = async (
  store: ObjectStore,
  folder: string,
  now: number,
  without: ReadonlySet<string> = new Set(),
): Promise<readonly string[]> => {
  let kernels: readonly string[] = []
  for (const file of indexFiles) kernels = await remakeFile(store, folder, now, without, file)
  return kernels
}

/**
 * Removes all kernels but the `keep` newest, with their signed manifests. The index forgets them first: it never names
 * what is not there. Gives the names.
 */
export const pruneKernels = async (
  store: ObjectStore,
  folder: string,
  now: number,
  keep: number,
): Promise<readonly string[]> => {
  const old = (await listKernels(store, folder)).slice(Math.max(1, keep)).map(({ key }) => key)
  if (old.length === 0) return []
  await remakeIndex(store, folder, now, new Set(old))
  for (const name of old) {
    await store.remove(`${folder}/${name}`)
    await store.remove(`${folder}/${name}.manifest`)
  }
  // Another publisher may have listed them in between.
  await remakeIndex(store, folder, now)
  return old
}
