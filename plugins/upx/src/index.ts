import { definePlugin } from '@zos/core'
import { type UpxOptions, upxOptions } from './options.js'

export type { UpxOptions } from './options.js'

/** Packs programs with UPX, where the image gets smaller by it. */
export const upx = definePlugin<UpxOptions>()({
  name: 'upx',
  version: '0.1.0',
  code: import.meta.url,
  options: upxOptions,
  needs: [{ tool: 'upx', version: '4.2', install: 'apt-get install -t bookworm-backports upx-ucl', sandboxed: true }],
  apply(hooks, options) {
    // After what changes files, such as strip: what is packed cannot be changed any more.
    hooks.optimize.tap({ name: 'pack', order: 'post' }, async (tree, ctx) =>
      (await import('./pack.js')).pack(tree, ctx, options),
    )
  },
})
