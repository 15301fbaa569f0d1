// Contents of a flist's files, read from its stores; every block is checked on the way.
import { type Blob, type BlobReader, digestOf, ZosError } from '@zos/core'
import type { BlockPool } from '../block-pool.js'
import { getBlock, type OpenRoute } from '../block-store.js'
import type { FlistEntry } from '../flist.js'

/** Blocks of a file that are fetched ahead. */
const ahead = 4

/** Bytes of a file. What comes out has the size that the flist says, or the end is `FLIST_SIZE`. */
export async function* contentOf(
  entry: FlistEntry,
  routes: readonly OpenRoute[],
  pool: BlockPool,
): AsyncGenerator<Uint8Array> {
  const coming: Promise<Uint8Array>[] = []
  let [next, size] = [0, 0]
  const fetchNext = (): void => {
    const block = entry.blocks[next++]
    if (!block) return
    const plain = getBlock(routes, block, pool)
    // Told when its turn comes.
    plain.catch(() => undefined)
    coming.push(plain)
  }
  for (let i = 0; i < ahead; i++) fetchNext()
  for (let plain = coming.shift(); plain; plain = coming.shift()) {
    const bytes = await plain
    fetchNext()
    size += bytes.length
    yield bytes
  }
  if (size !== entry.size)
    throw new ZosError('FLIST_SIZE', `${entry.path}: its blocks hold ${size} bytes, the flist says ${entry.size}`)
}

/** Stands for the content of a file, which only `contentReader` can give. */
export const contentBlob = ({ path, size }: FlistEntry): Blob => ({ sha256: digestOf({ path, size }), size })

/** Reads the contents of entries by what `contentBlob` gave for them. */
export const contentReader = (
  entries: Iterable<FlistEntry>,
  routes: readonly OpenRoute[],
  pool: BlockPool,
): BlobReader => {
  const known = new Map([...entries].map((entry) => [contentBlob(entry).sha256, entry]))
  const stream = (blob: Blob): AsyncIterable<Uint8Array> => contentOf(known.get(blob.sha256)!, routes, pool)
  return {
    stream,
    read: async (blob) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of stream(blob)) chunks.push(chunk)
      return Buffer.concat(chunks)
    },
  }
}

/** Finds an entry by its path in the flist; symbolic links are not followed. */
export const findEntry = (entries: readonly FlistEntry[], path: string, file: string): FlistEntry => {
  const wanted = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
  const found = entries.find((entry) => entry.path === wanted)
  if (found) return found
  throw new ZosError('FLIST_MISSING', `${file} has no ${wanted}`, { hint: `zos flist tree ${file}` })
}
