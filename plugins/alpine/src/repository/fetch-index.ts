import { type Arch, type Blob, type FetchContext, isZosError, ZosError } from '@zos/core'
import { parseIndex } from '../format/index-text.js'
import { readIndex } from '../format/read-index.js'
import type { PublicKeys } from '../format/signature.js'
import { encodeIndex, IndexTable } from '../solve/index-table.js'
import type { RepositoryIndex } from '../solve/universe.js'
import { addressesOf, packagePlace, type Repository } from './repositories.js'

/** Bytes of a compressed index; Alpine's largest has 2.5 MB. */
const most = 256 * 1024 ** 2

/** The signed index of every repository, checked and parsed. A parsed one is remembered by its digest. */
export const fetchIndexes = (
  repositories: readonly Repository[],
  { arch, mirrors, keys }: { readonly arch: Arch; readonly mirrors: readonly string[]; readonly keys: PublicKeys },
  ctx: FetchContext,
): Promise<RepositoryIndex[]> =>
  Promise.all(
    repositories.map(async (repository): Promise<RepositoryIndex> => {
      const { place, tag } = repository
      const name = packagePlace(repository, arch, 'APKINDEX.tar.gz')
      ctx.progress(`index of ${place}`)
      const blob = await refreshed(addressesOf(name, mirrors), ctx)
      return { label: place, ...(tag !== undefined && { tag }), table: await indexTable(blob, keys, name, ctx) }
    }),
  )

/** A signature is judged, and what it signs is parsed, once by index and keys. */
const indexTable = async (blob: Blob, keys: PublicKeys, name: string, ctx: FetchContext): Promise<IndexTable> => {
  const input = { sha256: blob.sha256, keys: Object.fromEntries([...keys].sort()) }
  const { files } = await ctx.remember('index-2', input, async () => {
    const { text } = await readIndex(await ctx.blobs.read(blob), keys, name)
    return { files: { table: await ctx.blobs.put(encodeIndex(parseIndex(text, name))) } }
  })
  return new IndexTable(await ctx.blobs.read(files!.table!))
}

const refreshed = async (urls: readonly string[], ctx: FetchContext): Promise<Blob> => {
  try {
    return await ctx.refresh(urls, { maxSize: most })
  } catch (error) {
    throw fetchFailed(error, 'APKINDEX.tar.gz')
  }
}

/** What to do where Alpine cannot be reached. */
export const fetchFailed = (error: unknown, subject: string): unknown => {
  if (!isZosError(error) || error.code !== 'FETCH_HTTP') return error
  return new ZosError('ALPINE_FETCH', error.message, {
    cause: error,
    subject,
    exit: error.exit,
    data: error.data,
    hint: [
      'name a mirror you can reach: alpine({ mirrors: [...] }) or ALPINE_MIRROR=URL',
      'no network to Alpine at all? variants/quickstart.config.ts builds a bootable image from Debian',
    ],
  })
}
