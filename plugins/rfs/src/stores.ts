// The stores of a config: where its flists send readers, and where publishing writes.
import {
  isRef,
  type ObjectLocation,
  type PublishContext,
  parseObjectUrl,
  type Ref,
  type TapContext,
  ZosError,
} from '@zos/core'
import type { EmbeddedRoute, S3Options } from '@zos/s3'
import type { RoutedLocation } from './block-store.js'
import type { Route } from './flist.js'
import type { BucketStore, FolderStore, RfsOptions, StoreOption } from './options.js'
import { checkCoverage, checkReadable, parseRange, parseRoute } from './route.js'

/** A store of the config, with the ids that it is for. */
export interface PlannedStore {
  readonly start: number
  readonly end: number
  readonly option: StoreOption
}

export const isBucket = (option: StoreOption): option is BucketStore => 'bucket' in option

/** The config's stores, in its order; ranges that leave a gap are `FLIST_ROUTE`. */
export const plannedStores = (store: RfsOptions['store']): PlannedStore[] => {
  if (store === undefined) return []
  const options = isRef(store) ? [{ bucket: store }] : Array.isArray(store) ? store : [store]
  const planned = (options as readonly StoreOption[]).map((option) => ({
    ...(parseRange(option.range ?? '00-ff') ?? { start: 0, end: 255 }),
    option,
  }))
  checkCoverage(planned, 'rfs({ store })')
  return planned
}

export const bucketRefs = (store: RfsOptions['store']): Ref[] =>
  plannedStores(store).flatMap(({ option }) => (isBucket(option) ? [option.bucket] : []))

const bucketFacts = async (ctx: Pick<TapContext, 'artifact'>, { bucket }: BucketStore) =>
  (await ctx.artifact(bucket)).facts as unknown as { readonly options: S3Options; readonly route: EmbeddedRoute }

/**
 * The routes that a flist carries: with keys that may only read. None where a bucket has not all its settings yet, so that
 * a build without them works; publishing then says what is missing.
 */
export const embeddedRoutes = async (ctx: TapContext, store: RfsOptions['store']): Promise<Route[]> => {
  const routes: Route[] = []
  for (const { start, end, option } of plannedStores(store)) {
    const url = isBucket(option) ? await bucketRoute(ctx, option) : parseRoute(option.route).url
    if (url === undefined) return []
    checkReadable({ url })
    routes.push({ start, end, url })
  }
  return routes
}

const bucketRoute = async (ctx: TapContext, option: BucketStore): Promise<string | undefined> => {
  const { route } = await bucketFacts(ctx, option)
  if ('url' in route) return route.url
  ctx.warn('FLIST_NO_ROUTE', `the flists name no store: ${route.missing}`, route.hint)
  return undefined
}

/** Where blocks are written, with the keys for it. `secret` opens secret options. */
export const writableStores = async (
  ctx: Pick<PublishContext, 'project' | 'artifact' | 'secret'>,
  store: RfsOptions['store'],
): Promise<RoutedLocation[]> => {
  const stores: RoutedLocation[] = []
  for (const { start, end, option } of plannedStores(store)) {
    if (!isBucket(option)) {
      stores.push({ start, end, location: folderLocation(option) })
      continue
    }
    const { options } = await bucketFacts(ctx, option)
    const { lookupOf, writeLocation } = await import('@zos/s3')
    const lookup = await lookupOf(options.config, ctx.project)
    stores.push({ start, end, location: writeLocation(options, lookup, ctx.secret) })
  }
  return stores
}

const folderLocation = ({ path }: FolderStore): ObjectLocation => ({ kind: 'dir', path })

/** Where a route of the flist is read from here: a folder's own route is a place of the node, its content is the folder. */
export const readableLocation = (route: Route, planned: PlannedStore): ObjectLocation => {
  if (!isBucket(planned.option)) return folderLocation(planned.option)
  try {
    return parseObjectUrl(route.url)
  } catch (cause) {
    throw new ZosError('FLIST_ROUTE', `a route of the flist cannot be read: ${(cause as Error).message}`, { cause })
  }
}
