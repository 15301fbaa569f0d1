import { definePlugin } from '@zos/core'
import { type ZinitOptions, zinitOptions } from './options.js'
import { settleUnits, zinitService } from './wishes.js'

export type { UnitOptions, ZinitOptions } from './options.js'
export type { Dialect } from './render.js'
export type { Order, RestartPolicy, Service, Target, Test, Unit } from './service.js'
export { type WishedUnit, zinitService } from './wishes.js'

/** zinit as the process manager: its units, the `/init` before it, and the checks of both. */
export const zinit = definePlugin<ZinitOptions>()({
  name: 'zinit',
  version: '0.1.0',
  code: import.meta.url,
  options: zinitOptions,
  apply(hooks, options) {
    hooks.resolve.tap('units', (plan) => plan.own(zinitService, settleUnits))
    hooks.assemble.tap('units', async (tree, ctx) => (await import('./image-units.js')).putUnits(tree, ctx, options))
    hooks.assemble.tap('boot', async (tree, ctx) => (await import('./boot.js')).putBoot(tree, ctx, options))
    hooks.check.tap('units', async (tree, ctx) => (await import('./image-units.js')).unitFindings(tree, ctx, options))
    hooks.check.tap('boot', async (tree, ctx) => (await import('./boot.js')).bootFindings(tree, ctx, options))
  },
})
