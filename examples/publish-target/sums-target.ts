// A publish target that comes from a third party: a folder a release, and one file of digests for sha256sum.
import { definePlugin, ref } from '@zos/core'
import * as v from 'valibot'

export interface SumsTargetOptions {
  /** Folder below which a folder a release is made. */
  readonly path: string
  /** Name of the release: the folder's name. */
  readonly release: string
}

export const sumsTarget = definePlugin<SumsTargetOptions>()({
  name: 'sums-target',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({ path: v.string(), release: v.pipe(v.string(), v.regex(/^[\w.-]+$/)) }),
  env: { RELEASE: 'release' },
  refs: (id) => ({
    /** What the config puts into its list `publish`. */
    release: () => ref(id, 'release', 'target'),
  }),
  apply(hooks, { path, release }) {
    // `post`: after blocks and flists, so that a release never names what is not there.
    hooks.publish.tap({ name: 'release', order: 'post' }, async (ctx) => {
      if (ctx.targets.length === 0) return []
      const store = await ctx.objects({ kind: 'dir', path })
      const receipts = []
      for (const { name, blob } of ctx.outputs) {
        const key = `${release}/${name}`
        ctx.progress(`copying ${name}`)
        await store.put(key, { blob, reader: ctx.blobs })
        receipts.push({ output: name, url: store.url(key), sha256: blob.sha256 })
      }
      // Last: whoever sees the digests finds all files.
      const sums = ctx.outputs.map(({ name, blob }) => `${blob.sha256}  ${name}\n`)
      await store.put(`${release}/SHA256SUMS`, sums.join(''))
      return receipts
    })
  },
})
