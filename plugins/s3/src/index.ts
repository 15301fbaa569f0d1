import { definePlugin, type Hooks, ref } from '@zos/core'
import { type FolderOptions, folderOptions, type PlaceOptions, type S3Options, s3Options } from './options.js'
import { type KernelsOptions, tapPublish } from './publish.js'
import { checkOpenssl, trustFiles } from './trust.js'

export type { FolderOptions, PlaceOptions, S3Options, SignOptions } from './options.js'
export type { KernelsOptions } from './publish.js'
export { parseRfsConf, type RfsConf, type RfsConfKey, rfsConfKeys } from './rfs-conf.js'
export {
  type EmbeddedRoute,
  type Lookup,
  lookupOf,
  readRoute,
  type SettingsReader,
  writeLocation,
} from './settings.js'

const version = '0.1.0'
const code = import.meta.url

/** What a config may put into its list `publish`. */
const targets = (id: string) => ({
  /** The kernels (`*.efi`) under their names with a version, and `kernels.txt` and `kernels.json` beside them. */
  kernels: (options: KernelsOptions = {}) => ref(id, 'kernels', 'target', { ...options }),
  /** The flists (`*.fl`). */
  manifests: () => ref(id, 'manifests', 'target'),
})

const tapTrust = (hooks: Hooks, { trust }: PlaceOptions): void => {
  if (trust === undefined) return
  hooks.assemble.tap('trust', (tree, ctx) => trustFiles(tree, ctx, trust))
  hooks.check.tap('openssl', async (tree) => checkOpenssl(tree))
}

/** Publishes to an S3 bucket. The image is the same with and without it, unless it says `trust`. */
export const s3 = definePlugin<S3Options>()({
  name: 's3',
  version,
  code,
  options: s3Options,
  refs: (id) => ({
    ...targets(id),
    /** The bucket for the blocks of flists, and the route to them: an artifact with the facts `options` and `route`. */
    blocks: ref(id, 'blocks'),
  }),
  apply(hooks, options, { id }) {
    hooks.resolve.tap('blocks', async (plan) => {
      if (!plan.requested().some(({ component }) => component === 'blocks')) return
      // Here and in no remembered tap: what those read is kept, and the file holds the keys that write.
      const { embeddedRoute } = await import('./settings.js')
      const route = await embeddedRoute(options, plan.project)
      plan.component({ name: 'blocks', kind: `${id} blocks`, options: route })
    })
    hooks.build
      .for(`${id} blocks`)
      .tap('blocks', async ({ options: route }) => ({ facts: { options: { ...options }, route } }) as never)
    tapTrust(hooks, options)
    tapPublish(hooks, options, async (ctx, target) => {
      const { isOff, lookupOf, subpathsOf, writeLocation } = await import('./settings.js')
      const lookup = await lookupOf(options.config, ctx.project)
      if (isOff(lookup, target)) {
        ctx.warn('PUBLISH_OFF', `${target} are switched off in ${options.config}`)
        return undefined
      }
      const store = await ctx.objects(writeLocation(options, lookup, ctx.secret))
      return { store, ...subpathsOf(options, lookup) }
    })
  },
})

/** Publishes to a folder, laid out as a bucket would be. */
export const folder = definePlugin<FolderOptions>()({
  name: 'folder',
  version,
  code,
  options: folderOptions,
  refs: targets,
  apply(hooks, options) {
    tapTrust(hooks, options)
    tapPublish(hooks, options, async (ctx) => {
      const { lookupOf, subpathsOf } = await import('./settings.js')
      const store = await ctx.objects({ kind: 'dir', path: options.path })
      return { store, ...subpathsOf(options, await lookupOf(undefined, ctx.project)) }
    })
  },
})
