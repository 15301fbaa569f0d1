import { definePlugin, ref } from '@zos/core'
import type { ApkSource } from './apk-source.js'
import { firmwareTree } from './firmware.js'
import { type AlpineOptions, alpineOptions } from './options.js'
import { alpinePackages, settlePackages } from './wishes.js'

export type { AlpineOptions } from './options.js'
export { alpinePackages } from './wishes.js'

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()

/** Alpine packages as the base of an image, and as trees of their own for other plugins. */
export const alpine = definePlugin<AlpineOptions>()({
  name: 'alpine',
  version: '0.1.0',
  code: import.meta.url,
  options: alpineOptions,
  env: { ALPINE_VERSION: 'branch' },
  refs: (id) => ({
    /** The root file system: `facts.packages` has the versions by name. */
    root: ref(id, 'root', 'tree'),
    /** The packages that bring what `firmware` names, as a tree; all of linux-firmware where it names nothing. */
    firmware: ref(id, firmwareTree, 'tree'),
    /**
     * Packages as a tree of their own, which is not installed: those named, and what they need of the same source
     * package. `base.tree(['linux-lts'])` is a kernel with its modules.
     */
    tree: (packages: readonly string[]) => ref(id, `tree ${unique(packages).join(' ')}`, 'tree', unique(packages)),
  }),
  apply(hooks, options, { id }) {
    hooks.resolve.tap('packages', async (plan) => {
      if (options.image !== false) plan.own(alpinePackages, settlePackages)
      const { declarePackages } = await import('./declare.js')
      await declarePackages(plan, options, id)
    })

    hooks.pin.for('apk').tap('apk', async () => null)
    hooks.fetch.for('apk').tap('apk', async ({ source }, ctx) => {
      const { fetchApk } = await import('./apk-source.js')
      return fetchApk(source as ApkSource, ctx)
    })

    hooks.build.for('alpine').tap('unpack', async (component, ctx) => {
      const { buildPackages } = await import('./build.js')
      return buildPackages(component, ctx)
    })

    if (options.image === false) return
    hooks.assemble.tap({ name: 'packages', order: 'pre' }, async (tree, ctx) =>
      tree.delta().tree(await ctx.tree(ref(id, 'root', 'tree'))),
    )
    hooks.assemble.tap({ name: 'applets', order: 'post' }, async (tree, ctx) => {
      const { facts } = await ctx.artifact(ref(id, 'root'))
      const { appletLinks } = await import('./install/applet-links.js')
      return appletLinks(tree, (facts?.applets ?? []) as unknown as Parameters<typeof appletLinks>[1])
    })
  },
})
