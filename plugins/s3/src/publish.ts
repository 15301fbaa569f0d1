// What is published, in an order in which nothing points at what is not there: flists, then kernels, then their index.
import { type Hooks, type Json, type Output, type PublishContext, type Receipt, ZosError } from '@zos/core'
import type { PlaceOptions } from './options.js'
import type { OpenPlace } from './place.js'

/** What `kernels(…)` may say. */
export interface KernelsOptions {
  /** Kernels that stay, the newest; older ones are removed after each upload. Default: all stay. */
  readonly keep?: number
}

const nothing = (what: string, { outputs }: PublishContext, hint: string): ZosError =>
  new ZosError('PUBLISH_NOTHING', `no output of this build is ${what}: ${outputs.map(({ name }) => name).join(', ')}`, {
    hint,
  })

/** Name under which an output is published: its alias, which has a version or a date, else its own; without folders. */
const publishedName = ({ name, aliases = [] }: Output, ending: string): string =>
  (aliases.find((alias) => alias.endsWith(ending)) ?? name).split('/').at(-1)!

const keepOf = (params: Json): number | undefined => {
  const { keep } = (params ?? {}) as KernelsOptions
  if (keep === undefined || (Number.isInteger(keep) && keep >= 1)) return keep
  throw new ZosError('PUBLISH_KEEP', `kernels({ keep: ${keep} }): expected a whole number from 1`)
}

/** Sends flists: `flists/modules-6.12.44.fl` becomes `manifests/modules-6.12.44.fl`. */
const sendManifests = async (ctx: PublishContext, open: OpenPlace, { sign }: PlaceOptions): Promise<Receipt[]> => {
  const flists = ctx.outputs.filter(({ name }) => name.endsWith('.fl'))
  if (flists.length === 0) throw nothing('a flist (*.fl)', ctx, 'add rfs({ … }), or take manifests() out of publish')
  const { sendFile } = await import('./place.js')
  const place = await open(ctx, 'manifests')
  if (!place) return []
  const receipts: Receipt[] = []
  for (const output of flists)
    receipts.push(await sendFile(ctx, place, `${place.manifests}/${publishedName(output, '.fl')}`, output, sign))
  return receipts
}

const sendKernels = async (
  ctx: PublishContext,
  open: OpenPlace,
  { sign }: PlaceOptions,
  keep: number | undefined,
): Promise<Receipt[]> => {
  const kernels = ctx.outputs.filter(({ name }) => name.endsWith('.efi'))
  if (kernels.length === 0)
    throw nothing('a kernel (*.efi)', ctx, 'add kernel({ … }), or take kernels() out of publish')
  const { sendFile } = await import('./place.js')
  const place = await open(ctx, 'kernels')
  if (!place) return []
  const receipts: Receipt[] = []
  for (const output of kernels)
    receipts.push(await sendFile(ctx, place, `${place.kernels}/${publishedName(output, '.efi')}`, output, sign))
  const { pruneKernels, remakeIndex } = await import('./kernel-index.js')
  await remakeIndex(place.store, place.kernels, ctx.now)
  if (keep !== undefined) {
    const removed = await pruneKernels(place.store, place.kernels, ctx.now, keep)
    if (removed.length > 0) ctx.progress(`removed ${removed.join(', ')}`)
  }
  return receipts
}

/** Taps the publish hook for the targets `manifests` and `kernels` of a place. */
export const tapPublish = (hooks: Hooks, options: PlaceOptions, open: OpenPlace): void => {
  const wanted = (ctx: PublishContext, component: string) =>
    ctx.targets.find((target) => target.component === component)
  hooks.publish.tap('manifests', async (ctx) => (wanted(ctx, 'manifests') ? sendManifests(ctx, open, options) : []))
  hooks.publish.tap({ name: 'kernels', order: 'post' }, async (ctx) => {
    const target = wanted(ctx, 'kernels')
    return target ? sendKernels(ctx, open, options, keepOf(target.params)) : []
  })
}
