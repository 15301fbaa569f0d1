// Blocks in object stores, spread and doubled by routes as the rfs program does it.
import { ExitCode, isZosError, type ObjectLocation, type ObjectStore, parseObjectUrl, ZosError } from '@zos/core'
import { type Block, sealedLimit } from './block.js'
import type { BlockPool } from './block-pool.js'
import type { Route } from './flist.js'
import { type SizeOf, sizesIn } from './presence.js'
import { leadsTo, withoutCredentials } from './route.js'

/** Opens a store; its keys are masked from then on. */
export type OpenStore = (location: ObjectLocation) => Promise<ObjectStore>

/** A store and the range of blocks that it is for. */
export interface RoutedLocation extends Pick<Route, 'start' | 'end'> {
  readonly location: ObjectLocation
}

export interface OpenRoute extends RoutedLocation {
  readonly store: ObjectStore
  readonly sizeOf: SizeOf
}

/** A folder keeps `ab/abcd…`, a bucket `abcd…`. */
const keyOf = ({ location }: RoutedLocation, { id }: Block): string =>
  location.kind === 'dir' ? `${id.slice(0, 2)}/${id}` : id

/** Whether a route leads to a folder or a bucket; web servers and 0-DBs are read by the rfs program alone. */
export const isReadHere = ({ url }: Pick<Route, 'url'>): boolean => !/^(https?|zdb):/.test(url)

/** Where the stores of routes are; one that zos does not read is `FLIST_ROUTE`. */
export const locationsOf = (routes: readonly Route[]): RoutedLocation[] =>
  routes.map((route) => {
    const { start, end, url } = route
    if (isReadHere(route)) return { start, end, location: parseObjectUrl(url) }
    throw new ZosError('FLIST_ROUTE', `${withoutCredentials(url)}: only the rfs program reads this kind of store`, {
      hint: 'zos reads dir://, s3:// and s3s://: name where the same blocks are, --store URL\nto put this route into a flist unchecked: zos flist stores FILE --set URL --unchecked',
      exit: ExitCode.config,
    })
  })

/** `wanted`: about how many blocks are going to be looked for. */
export const openRoutes = (routes: readonly RoutedLocation[], open: OpenStore, wanted = 0): Promise<OpenRoute[]> =>
  Promise.all(
    routes.map(async (route) => {
      const store = await open(route.location)
      // A folder answers at once.
      return { ...route, store, sizeOf: sizesIn(store, route.location.kind === 'dir' ? 0 : wanted) }
    }),
  )

export const closeRoutes = (routes: readonly OpenRoute[]): void => {
  for (const { store } of routes) store.close()
}

const noStore = (block: Block): ZosError =>
  new ZosError('FLIST_ROUTE', `no route leads to block ${block.id}`, { hint: 'zos flist stores FILE shows the routes' })

/** Whether every store that the routes name for a block has it, with that many bytes. */
export const hasBlock = async (routes: readonly OpenRoute[], block: Block, size: number): Promise<boolean> => {
  for (const route of routes)
    if (leadsTo(route, block) && (await route.sizeOf(keyOf(route, block))) !== size) return false
  return true
}

/**
 * Stores a block in every store that the routes name and that has it not yet. Gives how many took it. A folder
 * may lose it to a power cut, as with the rfs program: the next pack misses it by its size and sends it again.
 */
export const putBlock = async (
  routes: readonly OpenRoute[],
  block: Block,
  read: () => Promise<Uint8Array>,
  size: number,
): Promise<number> => {
  const own = routes.filter((route) => leadsTo(route, block))
  if (own.length === 0) throw noStore(block)
  let sent = 0
  for (const route of own) {
    const key = keyOf(route, block)
    if ((await route.sizeOf(key)) === size) continue
    await route.store.put(key, await read(), { durable: false })
    sent++
  }
  return sent
}

const sealedBytes = async (route: OpenRoute, block: Block): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of route.store.get(keyOf(route, block), { limit: sealedLimit })) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** The plain bytes of a block from the first store that has it whole; else why each of them failed. */
export const getBlock = async (routes: readonly OpenRoute[], block: Block, pool: BlockPool): Promise<Uint8Array> => {
  const own = routes.filter((route) => leadsTo(route, block))
  const failures: Error[] = []
  for (const route of own) {
    try {
      return await pool.open(block, await sealedBytes(route, block))
    } catch (error) {
      failures.push(error as Error)
    }
  }
  const [first] = failures
  if (!first) throw noStore(block)
  if (failures.length === 1) throw first
  throw new ZosError(
    'FLIST_BLOCK',
    [
      `block ${block.id} cannot be had from any of its ${own.length} stores`,
      ...failures.map(({ message }) => message),
    ].join('\n'),
    { cause: first },
  )
}

/** What is said of a whole store: no other block of it would fare better. */
const ofStore = new Set(['UNREACHABLE', 'CREDENTIALS', 'CLOCK', 'BUCKET', 'REGION'].map((word) => `OBJECTS_${word}`))

/**
 * Fetches and authenticates a block in each of its stores; a replica that is bad counts, whatever the others have. A block
 * that is bad or missing is `FLIST_BLOCK`; a store that cannot be read at all gives its own error.
 */
export const checkBlock = async (routes: readonly OpenRoute[], block: Block, pool: BlockPool): Promise<void> => {
  const own = routes.filter((route) => leadsTo(route, block))
  if (own.length === 0) throw noStore(block)
  for (const route of own) {
    try {
      await pool.open(block, await sealedBytes(route, block))
    } catch (cause) {
      if (isZosError(cause) && ofStore.has(cause.code)) throw cause
      throw new ZosError('FLIST_BLOCK', `block ${block.id} in ${route.store.url()}: ${(cause as Error).message}`, {
        hint: 'zos flist pack sends what is missing; a block that is damaged has to be removed from its store first',
        cause,
      })
    }
  }
}
