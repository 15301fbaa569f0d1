import { join } from 'node:path'
import type { FetchContext } from '../context.js'
import { ExitCode, ZosError } from '../error.js'
import type { Json } from '../model/canonical.js'
import type { Fetched, PinnedSource, Source } from '../model/source.js'
import { FileTree } from '../model/tree.js'

interface GitPin {
  readonly commit: string
  readonly ref: string
  /** Tags that `git describe` counts, so that a tag made later changes nothing. */
  readonly tags: Readonly<Record<string, string>>
}

const contextOf = (ctx: FetchContext) => ({
  env: ctx.env,
  signal: ctx.signal,
  onLine: (line: string) => ctx.progress(line),
})

/** A repository of this machine needs no network. */
const checkOnline = async (url: string, { offline }: FetchContext): Promise<void> => {
  const { gitTransport } = await import('../io/git-url.js')
  if (!offline || gitTransport(url) === 'file') return
  throw new ZosError('OFFLINE', `${url} is not in the store, and --offline forbids the network`, {
    hint: 'run once without --offline',
    exit: ExitCode.fetch,
  })
}

const checkout = async (
  source: Source,
  pin: { commit: string; ref?: string; tags?: GitPin['tags'] },
  ctx: FetchContext,
) => {
  const { fetchCommit } = await import('../io/git.js')
  const { path } = await ctx.scratch()
  const { url, submodules, history } = source
  const request = { url: String(url), submodules: submodules !== false, history: history !== false, ...pin }
  return { path, found: await fetchCommit(request, join(path, 'work'), contextOf(ctx)) }
}

/** The commit of a branch or tag now, and the tags that describe it. */
export const pinGit = async (source: Source, ctx: FetchContext): Promise<Json> => {
  const { resolveRef } = await import('../io/git.js')
  await checkOnline(String(source.url), ctx)
  const { commit, ref } = await resolveRef(String(source.url), String(source.ref), contextOf(ctx))
  const { found } = await checkout(source, { commit, ...(ref !== undefined && { ref }) }, ctx)
  return { commit, ...(ref !== undefined && { ref }), tags: found.tags }
}

/** The commit's files with a small `.git` that answers `git describe`, unless the source does without, and its facts. */
export const fetchGit = async ({ source, pin }: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const { makeRepositorySnapshot } = await import('../io/git.js')
  await checkOnline(String(source.url), ctx)
  const { readFolder } = await import('../io/folder-read.js')
  const { found } = await checkout(source, pin as unknown as GitPin, ctx)
  const records = await readFolder(found.folder, ctx.blobs, { modes: 'git' })
  const snapshot = source.history === false ? [] : await makeRepositorySnapshot(found, contextOf(ctx))
  const repository = await Promise.all(
    [...snapshot].map(async ([path, bytes]) => ({
      path: `/.git/${path}`,
      kind: 'file' as const,
      mode: 0o644,
      uid: 0,
      gid: 0,
      blob: await ctx.blobs.put(bytes),
    })),
  )
  const { commit, describe, time } = found
  return { tree: FileTree.from([...records, ...repository]), facts: { commit, describe, time } }
}
