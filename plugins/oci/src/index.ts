import { definePlugin, ref } from '@zos/core'
import * as v from 'valibot'

export interface OciOptions {
  /** Folder of the layout, below the project root or absolute; other tags in it stay. */
  readonly path: string
  /** Tag of what is published. Default: the kernel's release, else `latest`. */
  readonly tag?: string
}

const tagForm = v.regex(/^[A-Za-z0-9_][\w.-]{0,127}$/, 'expected letters, digits, "_", "." and "-", at most 128')

const options: v.GenericSchema<OciOptions> = v.strictObject({
  path: v.string(),
  tag: v.exactOptional(v.pipe(v.string(), tagForm)),
})

/** Publishes all outputs as one artifact in an OCI image layout, which tools such as skopeo and oras copy to a registry. */
export const oci = definePlugin<OciOptions>()({
  name: 'oci',
  version: '0.1.0',
  code: import.meta.url,
  options,
  refs: (id) => ({
    /** What a config may put into its list `publish`. */
    layout: () => ref(id, 'layout', 'target'),
  }),
  apply(hooks, own) {
    hooks.publish.tap({ name: 'layout', order: 'post' }, async (ctx) => {
      if (ctx.targets.length === 0) return []
      const { publishLayout } = await import('./publish.js')
      return publishLayout(ctx, own)
    })
  },
})
