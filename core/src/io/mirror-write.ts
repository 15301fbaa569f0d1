// Copies what a lock pins into a mirror: each content once, under its digest.

import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { Session } from '../engine/session.js'
import { loadTree } from '../engine/stored-artifact.js'
import { writeTar } from '../format/tar-write.js'
import { canonical, digestOf } from '../model/canonical.js'
import type { Blob } from '../model/entry.js'
import { blobKey, indexKey, type MirroredInput, treeKey } from '../model/mirror.js'
import type { ObjectStore } from '../model/object-store.js'
import { isLiveSource } from '../model/source.js'

/** Copies under way at once. */
const width = 8

/** What a copy did; sizes are of what was sent, in bytes. */
export interface Mirrored {
  readonly index: Blob
  readonly inputs: number
  readonly sent: number
  readonly bytes: number
}

/** Everything that was fetched for the lock of this session. Folders of the project are no inputs of the lock. */
const inputsOf = ({ plan, fetched }: Session): [string, MirroredInput][] =>
  [...plan!.sources].flatMap(([id, { source, pin }]): [string, MirroredInput][] => {
    const stored = fetched.get(id)
    if (stored === undefined || isLiveSource(source)) return []
    return [[digestOf({ source, pin }), { name: id, kind: source.kind, ...stored }]]
  })

export const mirrorInputs = async (session: Session, target: ObjectStore): Promise<Mirrored> => {
  const { store, report } = session
  const inputs = inputsOf(session)
  const jobs = new Map<string, () => Promise<Blob>>()
  for (const [, { blob, tree }] of inputs) {
    if (blob) jobs.set(blobKey(blob), async () => blob)
    if (!tree) continue
    jobs.set(blobKey(tree.blob), async () => tree.blob)
    jobs.set(treeKey(tree.blob), async () => {
      const records = (await loadTree(store, tree)).records()
      const archive = Readable.from(writeTar(records, store.blobs, { epoch: 0 }))
      return store.blobs.put(archive.pipe(createGzip({ level: 6 })).iterator() as AsyncIterable<Uint8Array>)
    })
  }
  const queue = [...jobs]
  let [done, sent, bytes] = [0, 0, 0]
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const [key, make] = job
      session.signal.throwIfAborted()
      report.progress('mirror', 'copying', ++done, jobs.size)
      // The key is the digest of the content: what is there is the same.
      if ((await target.head(key)) !== undefined) continue
      const blob = await make()
      await target.put(key, { blob, reader: store.blobs })
      sent++
      bytes += blob.size
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  // The index comes last: where it is, all that it names is.
  const index = await store.blobs.put(`${canonical(Object.fromEntries(inputs))}\n`)
  await target.put(indexKey(index), { blob: index, reader: store.blobs }, { contentType: 'application/json' })
  return { index, inputs: inputs.length, sent, bytes }
}
