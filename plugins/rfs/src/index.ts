import { definePlugin, type Ref, ref } from '@zos/core'
import { type FlistName, flistNames, mountFindings, putMounts, wishForMounts } from './image.js'
import { type RfsOptions, rfsOptions } from './options.js'
import { flistSlot } from './pack-tree.js'
import { bucketRefs } from './stores.js'

export type { BucketStore, FlistOptions, FolderStore, RfsOptions, StoreOption } from './options.js'

/** Flists of modules and firmware: packed, published with their blocks, and mounted on the node. */
export const rfs = definePlugin<RfsOptions>()({
  name: 'rfs',
  version: '0.1.0',
  code: import.meta.url,
  options: rfsOptions,
  env: { FIRMWARE_TAG: 'firmwareTag' },
  refs: (id) => ({
    /** The flist of modules, a file. */
    modules: ref(id, 'modules', flistSlot),
    /** The flist of firmware, a file. */
    firmware: ref(id, 'firmware', flistSlot),
  }),
  apply(hooks, options, { id }) {
    const names = flistNames(options)
    const refOf = (name: FlistName): Ref => ref(id, name)

    hooks.resolve.tap('flists', async (plan) => {
      const { sqliteVersion } = await import('./flist-write.js')
      const { besides } = options.flists
      for (const name of names) {
        const tree = options.flists[name]!
        const needs = [tree, ...bucketRefs(options.store), ...(name === 'modules' && besides ? [besides] : [])]
        plan.component({ name, kind: `${id} flist`, options: { name, sqlite: sqliteVersion() }, needs })
        plan.output({ name: `flists/${name}.fl`, format: `${id} flist`, options: { name }, needs: [refOf(name)] })
      }
      if (names.length > 0) {
        const needs = [...names.map(refOf), ...(besides ? [besides] : [])]
        plan.output({ name: 'flists/split.txt', format: `${id} split`, options: null, needs })
        wishForMounts(plan, options)
      }
    })

    hooks.build.for(`${id} flist`).tap('pack', async ({ name }, ctx) => {
      const { buildFlist } = await import('./build-flist.js')
      return buildFlist(ctx, name as FlistName, options)
    })

    hooks.assemble.tap('mounts', (tree, ctx) => putMounts(tree, ctx, options, refOf))
    hooks.check.tap('mounts', async (tree) => mountFindings(tree, options))

    hooks.pack.for(`${id} flist`).tap('flist', async ({ options: output }, ctx) => {
      const { name } = output as { name: FlistName }
      const { files, facts = {} } = await ctx.artifact(refOf(name))
      const alias = `flists/${name}-${facts.release ?? facts.tag}.fl`
      return { blob: files![flistSlot]!, aliases: [alias], note: `${facts.files} files, ${facts.blocks} blocks`, facts }
    })
    hooks.pack.for(`${id} split`).tap('split', async (_, ctx) => {
      const { packSplit } = await import('./split.js')
      return packSplit(ctx, options, refOf)
    })

    hooks.publish.tap({ name: 'blocks', order: 'pre' }, async (ctx) => {
      const { publishBlocks } = await import('./publish.js')
      return publishBlocks(ctx, options, async (output) => {
        const name = names.find((one) => output === `flists/${one}.fl`)
        return name && ctx.artifact(refOf(name))
      })
    })
  },
})
