import { isZosError, type ObjectStore, type PublishContext, type Receipt, ZosError } from '@zos/core'
import type { OciOptions } from './index.js'
import { blobPath, descriptorOf, emptyConfig, indexText, layoutFile, manifestText } from './layout.js'

/** Times that the index is written when others write it too. */
const mostTries = 30
/** Bytes of an index that are read. */
const indexLimit = 4 << 20

/** Adds the manifest to the index, whoever else writes it. */
const writeIndex = async (store: ObjectStore, manifest: string, tag: string): Promise<void> => {
  for (let run = 0; run < mostTries; run++) {
    const there = await store.read('index.json', { limit: indexLimit })
    const text = indexText(there && Buffer.from(there.bytes).toString('utf8'), manifest, tag)
    if (text === undefined)
      throw new ZosError('OCI_INDEX', `${store.url('index.json')}: this is no index of an OCI layout`, {
        hint: 'name another folder, or remove the file',
      })
    try {
      await store.put('index.json', text, there ? { ifMatch: there.etag } : { ifAbsent: true })
      return
    } catch (error) {
      if (!isZosError(error) || error.code !== 'OBJECT_CHANGED') throw error
    }
  }
  throw new ZosError('OCI_RACE', `${store.url('index.json')}: others wrote it ${mostTries} times`, {
    hint: 'publish again',
  })
}

/** The tag: as the options say, else the kernel's release, else `latest`; characters that tags cannot have become `-`. */
const tagOf = ({ tag }: OciOptions, { outputs }: PublishContext): string => {
  const release = outputs.map(({ facts }) => facts?.release).find((one) => typeof one === 'string')
  return tag ?? String(release ?? 'latest').replace(/[^\w.-]/g, '-')
}

/** Writes all outputs as one artifact: contents first, then what names them, the index last. */
export const publishLayout = async (ctx: PublishContext, options: OciOptions): Promise<Receipt[]> => {
  const store = await ctx.objects({ kind: 'dir', path: options.path })
  const outputs = [...ctx.outputs].sort((a, b) => (a.name < b.name ? -1 : 1))
  const putOnce = async (key: string, size: number, put: () => Promise<unknown>): Promise<void> => {
    if ((await store.head(key))?.size !== size) await put()
  }
  for (const { name, blob } of outputs) {
    const key = blobPath(`sha256:${blob.sha256}`)
    ctx.progress(`writing ${name}`)
    await putOnce(key, blob.size, () => store.put(key, { blob, reader: ctx.blobs }))
  }
  // biome-ignore lint/style/noRestrictedGlobals: turns a time that it is given into text; it asks no clock.
  const created = new Date(ctx.epoch * 1000).toISOString().replace('.000', '')
  const manifest = manifestText(outputs, created)
  for (const text of [emptyConfig, manifest]) {
    const { digest, size } = descriptorOf(text, '')
    await putOnce(blobPath(digest), size, () => store.put(blobPath(digest), text))
  }
  await store.put('oci-layout', layoutFile)
  const tag = tagOf(options, ctx)
  await writeIndex(store, manifest, tag)
  const { digest } = descriptorOf(manifest, '')
  return [{ output: 'index.json', url: `${store.url()}:${tag}`, sha256: digest.slice('sha256:'.length) }]
}
