// fetch: every pinned source into the store, and what they make known, until nothing is new.
import { onceAmongBuilds } from '../engine/once.js'
import type { Session, StoredFetched } from '../engine/session.js'
import { isTreeWhole, storeTree } from '../engine/stored-artifact.js'
import { loadFetched } from '../engine/tap-context.js'
import { given, placedSource } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import { fetchContext } from '../io/network.js'
import { digestOf, type Json, normalized } from '../model/canonical.js'
import { type Fetched, isLiveSource, type PinnedSource, type Source } from '../model/source.js'
import { pinSource } from './resolve.js'

/** Downloads under way at once; each kind bounds itself further. */
const width = 16

const store = async (session: Session, fetched: Fetched): Promise<StoredFetched> =>
  normalized({
    ...(fetched.blob && { blob: fetched.blob }),
    ...(fetched.tree && { tree: await storeTree(session.store, fetched.tree) }),
    ...(fetched.facts !== undefined && { facts: fetched.facts }),
    ...(fetched.sources && { sources: fetched.sources as unknown as Record<string, Json> }),
  })

const isWhole = async (session: Session, { blob, tree }: StoredFetched): Promise<boolean> =>
  (!blob || session.store.blobs.has(blob)) && (!tree || (await isTreeWhole(session.store, tree)))

const fetchStored = async (
  session: Session,
  plugin: string,
  pinned: PinnedSource,
  onFresh: () => void = () => undefined,
): Promise<StoredFetched> => {
  const id = `${plugin}/${pinned.name}`
  const key = digestOf({ source: pinned.source, pin: pinned.pin })
  const isLive = isLiveSource(pinned.source)
  const isCached = session.flags.cacheDownloads || session.fetchedAnew.has(key)
  const known = isLive || !isCached ? undefined : (session.store.result('fetch', key) as StoredFetched | undefined)
  if (known && !(session.store.distrust && !(await isWhole(session, known)))) return known
  if (session.planner && !isLive) {
    session.planner.wouldFetch(id)
    return {}
  }
  session.report.step({ id, phase: 'fetch', state: 'started' })
  const started = performance.now()
  const keep = async (stored: StoredFetched): Promise<StoredFetched> => {
    session.fetchedAnew.add(key)
    if (!isLive) onFresh()
    if (!isLive && !session.unverified.has(id)) await session.store.setResult('fetch', key, stored as unknown as Json)
    session.report.step({ id, phase: 'fetch', state: isLive ? 'hit' : 'ran', ms: performance.now() - started })
    return stored
  }
  const bring = async (): Promise<StoredFetched> => {
    const mirrored = isLive ? undefined : await session.mirror?.take(key)
    return keep(mirrored ?? (await fetchThroughHook(session, id, plugin, pinned)))
  }
  if (isLive || !isCached) return bring()
  // Another build may be bringing the same.
  const recall = async (): Promise<StoredFetched | undefined> =>
    session.store.distrust ? undefined : (session.store.result('fetch', key) as StoredFetched | undefined)
  return onceAmongBuilds(session.store, session.signal, `fetch ${key}`, recall, bring)
}

const fetchThroughHook = async (
  session: Session,
  id: string,
  plugin: string,
  pinned: PinnedSource,
): Promise<StoredFetched> => {
  const fetched = await session.tapables.fetch.for(pinned.source.kind).promise(async (tap) => {
    const ctx = fetchContext(session, id, plugin, (one) => fetchPinned(session, plugin, one))
    try {
      return given(await tap.run(pinned, ctx), 'what was fetched: return { blob } or { tree }')
    } catch (cause) {
      session.report.step({ id, phase: 'fetch', state: 'failed' })
      throw placedSource(cause, tap, plugin, id)
    } finally {
      await ctx.dispose()
    }
  })
  if (fetched === undefined)
    throw new ZosError(
      'SOURCE_KIND',
      `no plugin of this config fetches sources of kind ${pinned.source.kind} (${id})`,
      { exit: ExitCode.config },
    )
  return store(session, fetched as Fetched)
}

/** One pinned source, from the store or through the hook of its kind. */
export const fetchPinned = async (session: Session, plugin: string, pinned: PinnedSource): Promise<Fetched> =>
  loadFetched(session, await fetchStored(session, plugin, pinned))

/** Gives how many were not in the store. */
export const fetch = async (session: Session): Promise<number> => {
  let fresh = 0
  const plan = session.plan!
  const queue = [...plan.sources.keys()].filter((id) => !session.fetched.has(id))
  const total = new Set(queue)
  const work = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      const pinned = plan.sources.get(id)!
      const stored = await fetchStored(session, pinned.plugin, pinned, () => fresh++)
      session.fetched.set(id, stored)
      for (const [name, source] of Object.entries(stored.sources ?? {})) {
        const inner = `${pinned.name}/${name}`
        if (plan.sources.has(`${pinned.plugin}/${inner}`)) continue
        await pinSource(session, pinned.plugin, inner, source as Source)
        queue.push(`${pinned.plugin}/${inner}`)
        total.add(`${pinned.plugin}/${inner}`)
      }
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  if (queue.length > 0) await work()
  return fresh
}
