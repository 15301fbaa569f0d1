// One place to publish to: opened from options, with what is done to every file that goes there.
import { createHash } from 'node:crypto'
import {
  type Blob,
  type BlobReader,
  type ObjectStore,
  type Output,
  type PublishContext,
  type Receipt,
  ZosError,
} from '@zos/core'
import { signManifest } from '@zos/core/format'
import type { SignOptions } from './options.js'
import type { Subpaths } from './settings.js'

/** An open place. */
export interface Place extends Subpaths {
  readonly store: ObjectStore
}

/** Opens a place when publishing begins; what is not set is told then. `undefined`: this target is switched off. */
export type OpenPlace = (ctx: PublishContext, target: keyof Subpaths) => Promise<Place | undefined>

const secondsOfDay = 86_400
const defaultDays = 365

const digestOf = async (chunks: AsyncIterable<Uint8Array>, algorithm: 'sha256' | 'md5'): Promise<string> => {
  const hash = createHash(algorithm)
  for await (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/** Whether the object is this content. A bucket's etag is the MD5 of what was sent whole; where it is not, content is read. */
const isThere = async (store: ObjectStore, key: string, blob: Blob, { blobs }: PublishContext): Promise<boolean> => {
  const found = await store.head(key)
  if (found?.size !== blob.size) return false
  if (/^[0-9a-f]{32}$/.test(found.etag) && (await digestOf(blobs.stream(blob), 'md5')) === found.etag) return true
  return (await digestOf(store.get(key, { limit: blob.size }), 'sha256')) === blob.sha256
}

/** A reader that says how far a file has been sent; a further try begins anew. */
const watched = (ctx: PublishContext, text: string): BlobReader => ({
  read: (blob) => ctx.blobs.read(blob),
  async *stream(blob) {
    let done = 0
    for await (const chunk of ctx.blobs.stream(blob)) {
      yield chunk
      done += chunk.length
      ctx.progress(text, done, blob.size)
    }
  },
})

/** Text of the signed manifest of a file that is published under a key. */
const signed = (
  ctx: PublishContext,
  key: string,
  { name: own, aliases = [], blob }: Output,
  sign: SignOptions,
): string => {
  const days = sign.days ?? defaultDays
  const name = key.split('/').at(-1)!
  const names = [name, ...[own, ...aliases].filter((other) => other !== name)]
  const facts = { names, size: blob.size, sha256: blob.sha256, time: ctx.now }
  const expires = days > 0 ? { expires: ctx.now + days * secondsOfDay } : {}
  return signManifest({ ...facts, ...expires }, ctx.secret(sign.key))
}

/** Sends a file under a key, unless it is there, and looks whether it arrived; then its signed manifest. */
export const sendFile = async (
  ctx: PublishContext,
  { store }: Place,
  key: string,
  output: Output,
  sign: SignOptions | undefined,
): Promise<Receipt> => {
  const { blob } = output
  const url = store.url(key)
  // First of all: without the key nothing is sent.
  const manifest = sign && signed(ctx, key, output, sign)
  ctx.progress(`looking for ${url}`)
  const wasThere = await isThere(store, key, blob, ctx)
  if (!wasThere) {
    await store.put(key, { blob, reader: watched(ctx, `sending ${url}`) })
    if (!(await isThere(store, key, blob, ctx)))
      throw new ZosError('PUBLISH_DAMAGED', `${url}: what is there now is not what was sent`, {
        hint: 'did another publisher send a file of the same name? else look at the server and what is between',
      })
  }
  if (manifest !== undefined) await store.put(`${key}.manifest`, manifest, { contentType: 'text/plain; charset=utf-8' })
  const notes = [...(wasThere ? ['was there'] : []), ...(manifest === undefined ? [] : ['signed'])]
  return { output: output.name, url, sha256: blob.sha256, ...(notes.length > 0 && { note: notes.join(', ') }) }
}
