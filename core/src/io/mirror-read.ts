// Takes locked inputs out of a mirror in place of where they came from. Everything is checked by digest, from the note
// beside the lock downwards.
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { StoredFetched } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import { decompress } from '../format/decompress.js'
import { readTar } from '../format/tar-read.js'
import type { Blob } from '../model/entry.js'
import {
  blobKey,
  indexKey,
  largestIndex,
  type MirrorIndex,
  parseMirrorIndex,
  parseMirrorNote,
  treeKey,
} from '../model/mirror.js'
import type { ObjectStore } from '../model/object-store.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'

/** Bytes of one packed tree: the sources of a kernel are some 250 MB. */
const largestTree = 8 * 1024 ** 3

/** Where locked inputs are taken from before anybody is asked for them. */
export interface Mirror {
  /** The input of this key, its content now in the store; `undefined` where the index has none. */
  take(key: string): Promise<StoredFetched | undefined>
  close(): void
}

const damaged = (target: ObjectStore, key: string, found: string): ZosError =>
  new ZosError('MIRROR_DIGEST', `${target.url(key)} ${found}`, {
    hint: 'the mirror is damaged, or somebody changed it: remove the object and make the mirror again, zos lock --mirror',
    exit: ExitCode.fetch,
  })

const unknown = (note: string, arch: string): ZosError =>
  new ZosError('MIRROR_NOTE', `${note} does not say which index of the mirror counts for ${arch}`, {
    hint: 'make the mirror where its inputs can be had, and commit the note: zos lock --mirror TARGET',
    exit: ExitCode.lock,
  })

/** Opens a mirror; its index is read when the first input is asked for. `note` is the absolute path of the note. */
export const openMirror = (open: () => Promise<ObjectStore>, note: string, arch: string, store: Store): Mirror => {
  let opened: Promise<{ target: ObjectStore; index: MirrorIndex }> | undefined
  let close = (): void => undefined

  const start = async (): Promise<{ target: ObjectStore; index: MirrorIndex }> => {
    const name = basename(note)
    const known = existsSync(note) ? parseMirrorNote(readFileSync(note, 'utf8'), name).arch[arch] : undefined
    if (!known) throw unknown(name, arch)
    const target = await open()
    close = () => target.close()
    await bring(target, indexKey(known.index), known.index)
    const text = new TextDecoder().decode(await store.blobs.read(known.index))
    return { target, index: parseMirrorIndex(text, target.url(indexKey(known.index))) }
  }

  const bring = async (target: ObjectStore, key: string, blob: Blob): Promise<void> => {
    if (store.blobs.has(blob)) return
    const limit = key.startsWith('index/') ? largestIndex : blob.size
    const { sha256, size } = await store.blobs.put(target.get(key, { limit }))
    if (sha256 !== blob.sha256)
      throw damaged(target, key, `has ${size} bytes with SHA-256 ${sha256}, expected ${blob.size} with ${blob.sha256}`)
  }

  const bringTree = async (target: ObjectStore, blob: Blob): Promise<void> => {
    await bring(target, blobKey(blob), blob)
    const tree = FileTree.decode(await store.blobs.read(blob))
    const missing = (): Blob | undefined => {
      for (const record of tree.records())
        if (record.kind === 'file' && !store.blobs.has(record.blob)) return record.blob
      return undefined
    }
    if (missing() === undefined) return
    const key = treeKey(blob)
    const chunks = decompress(target.get(key, { limit: largestTree }), 'gz', { name: target.url(key) })
    for await (const entry of readTar(chunks)) if (entry.content) await store.blobs.put(entry.content)
    const lacking = missing()
    if (lacking) throw damaged(target, key, `lacks a file with SHA-256 ${lacking.sha256}`)
  }

  return {
    take: async (key) => {
      opened ??= start()
      const { target, index } = await opened
      const input = Object.hasOwn(index, key) ? index[key] : undefined
      if (!input) return undefined
      const { name: _, kind: __, ...stored } = input
      if (stored.blob) await bring(target, blobKey(stored.blob), stored.blob)
      if (stored.tree) await bringTree(target, stored.tree.blob)
      return stored
    },
    close: () => close(),
  }
}
