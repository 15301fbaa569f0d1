// What the core itself taps: sources of kind http, git and path, and the initramfs.
import * as v from 'valibot'
import type { Json } from '../model/canonical.js'
import { definePlugin } from '../plugin.js'
import { fetchGit, pinGit } from './git-source.js'
import { fetchHttp, pinHttp } from './http-source.js'
import { extensions, type InitramfsSpec, levelOf, packInitramfs } from './initramfs.js'

export interface CoreOptions {
  readonly compression: InitramfsSpec['compression']
  readonly level?: number | undefined
  /** Plugin ids in config order; the archive is grouped by them. */
  readonly order: readonly string[]
}

export const corePlugin = definePlugin<CoreOptions>()({
  name: 'core',
  version: '1',
  code: import.meta.url,
  options: v.strictObject({
    compression: v.picklist(['xz', 'zstd', 'gzip', 'none']),
    level: v.optional(v.number()),
    order: v.array(v.string()),
  }),
  apply(hooks, { compression, level, order }) {
    hooks.resolve.tap('initramfs', (plan) => {
      plan.output({
        name: `initramfs.cpio${extensions[compression]}`,
        format: 'initramfs',
        options: { compression, level: levelOf(compression, level), order } satisfies InitramfsSpec as unknown as Json,
      })
    })
    hooks.pin.for('http').tap('http', pinHttp)
    hooks.fetch.for('http').tap('http', fetchHttp)
    hooks.pin.for('git').tap('git', pinGit)
    hooks.fetch.for('git').tap('git', fetchGit)
    hooks.pin.for('path').tap('path', async () => null)
    hooks.fetch
      .for('path')
      .tap('path', async ({ source }, ctx) => ({ tree: await ctx.project.folder(String(source.path)) }))
    hooks.pack.for('initramfs').tap('initramfs', packInitramfs)
  },
})
