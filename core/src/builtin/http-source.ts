import type { FetchContext } from '../context.js'
import type { Json } from '../model/canonical.js'
import type { Fetched, PinnedSource, Source } from '../model/source.js'

interface HttpData {
  readonly urls: readonly string[]
  readonly sha256?: string
  readonly size?: number
  readonly maxSize?: number
}

/** A URL without a digest is pinned to what it gives now. */
export const pinHttp = async (source: Source, ctx: FetchContext): Promise<Json> => {
  const { urls, sha256, ...limits } = source as unknown as HttpData
  if (sha256 !== undefined) return null
  const blob = await ctx.download(urls, limits)
  return { sha256: blob.sha256, size: blob.size }
}

export const fetchHttp = async ({ source, pin }: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const { urls, ...stated } = source as unknown as HttpData
  return { blob: await ctx.download(urls, { ...stated, ...(pin as { sha256: string; size: number } | null) }) }
}
