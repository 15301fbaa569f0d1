import { definePlugin, ref } from '@zos/core'
import type { DebSource } from './deb-source.js'
import { type DebianOptions, debianOptions } from './options.js'
import { debianPackages, settlePackages } from './wishes.js'

export type { DebianOptions, MirrorOptions } from './options.js'
export { debianPackages } from './wishes.js'

const unique = (names: readonly string[]): string[] => [...new Set(names)].sort()

/** Debian packages as the base of an image, and as trees of their own for other plugins. */
export const debian = definePlugin<DebianOptions>()({
  name: 'debian',
  version: '0.1.0',
  code: import.meta.url,
  options: debianOptions,
  needs: [{ tool: 'gpgv', install: 'apt-get install gpgv' }],
  refs: (id) => ({
    /** The root file system: `facts.packages` has the versions by name. */
    root: ref(id, 'root', 'tree'),
    /**
     * Packages as a tree of their own, which is not installed: those named, and what they need of the same source
     * package. `base.tree(['linux-image-6.12-cloud-amd64'])` has the kernel that this meta-package stands for.
     */
    tree: (packages: readonly string[]) => ref(id, `tree ${unique(packages).join(' ')}`, 'tree', unique(packages)),
  }),
  apply(hooks, options, { id }) {
    hooks.resolve.tap('packages', async (plan) => {
      if (options.image !== false) plan.own(debianPackages, settlePackages)
      const { declarePackages } = await import('./declare.js')
      declarePackages(plan, options, id)
    })

    hooks.pin.for('deb').tap('deb', async () => null)
    hooks.fetch.for('deb').tap('deb', async ({ source }, ctx) => {
      const { fetchDeb } = await import('./deb-source.js')
      return fetchDeb(source as DebSource, ctx)
    })

    hooks.build.for('debian').tap('unpack', async (component, ctx) => {
      const { buildPackages } = await import('./build.js')
      return buildPackages(component, ctx)
    })

    if (options.image === false) return
    hooks.assemble.tap({ name: 'packages', order: 'pre' }, async (tree, ctx) =>
      tree.delta().tree(await ctx.tree(ref(id, 'root', 'tree'))),
    )
    hooks.assemble.tap({ name: 'applets', order: 'post' }, async (tree, ctx) => {
      const { facts } = await ctx.artifact(ref(id, 'root'))
      const { appletLinks } = await import('./package/applet-links.js')
      return appletLinks(tree, facts?.applets as Parameters<typeof appletLinks>[1])
    })
  },
})
