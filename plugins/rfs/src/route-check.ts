// Whether what was written can be read the way a node reads it.
import { ExitCode, shownObjectUrl, ZosError } from '@zos/core'
import type { Block } from './block.js'
import type { BlockPool } from './block-pool.js'
import { checkBlock, closeRoutes, type OpenStore, openRoutes, type RoutedLocation } from './block-store.js'
import { leadsTo } from './route.js'

/** Blocks that are fetched through each route. */
const perRoute = 4

/** Some blocks of a route's range, spread over all of them. */
export const sampleOf = (route: Pick<RoutedLocation, 'start' | 'end'>, blocks: readonly Block[]): Block[] => {
  const own = blocks.filter((block) => leadsTo(route, block)).sort((a, b) => (a.id < b.id ? -1 : 1))
  const step = Math.max(1, Math.floor(own.length / perRoute))
  return own.filter((_, at) => at % step === 0).slice(0, perRoute)
}

/**
 * Fetches blocks of every route's range through it, with the credentials that are in it, and authenticates them.
 * A mismatch is `FLIST_MISROUTED`, which names where the blocks were written and where they were looked for.
 */
export const checkRoutes = async (
  routes: readonly RoutedLocation[],
  written: readonly RoutedLocation[],
  blocks: readonly Block[],
  open: OpenStore,
  pool: BlockPool,
): Promise<void> => {
  for (const route of routes) {
    const sample = sampleOf(route, blocks)
    if (sample.length === 0) continue
    const opened = await openRoutes([route], open)
    try {
      for (const block of sample) await checkBlock(opened, block, pool)
    } catch (cause) {
      const stores = written.filter((one) => one.start <= route.end && route.start <= one.end)
      const places = [...new Set(stores.map(({ location }) => shownObjectUrl(location)))].join(', ')
      throw new ZosError(
        'FLIST_MISROUTED',
        [
          `blocks${places && ` written to ${places}`} cannot be read from ${shownObjectUrl(route.location)}, where the flist sends its readers`,
          (cause as Error).message,
        ].join('\n'),
        {
          hint: 'the route has to lead to the same bucket and prefix, with keys that may read there',
          exit: ExitCode.fetch,
          cause,
        },
      )
    } finally {
      closeRoutes(opened)
    }
  }
}
