import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A heap below this is not worth a collection. Bytes. */
const large = 96 << 20

/**
 * Gives memory back that a phase no longer needs: V8 keeps a heap that has grown, as the index of a distribution makes it
 * grow, and what encoders of later phases take would come on top.
 */
export const releaseHeap = (): void => {
  if (process.memoryUsage().heapTotal >= large) collector()()
}

type Collect = (options?: { readonly type: 'minor' }) => void
let collect: Collect | undefined

const collector = (): Collect => {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as Collect
  }
  return collect
}

/** Bytes of chunks between two collections. */
const between = 4 << 20

/**
 * Passes chunks on, and frees the buffers of those that are done with: V8 lets 64 MB of them lie before it looks, since
 * the objects before them are small. For long streams through an encoder that needs the memory itself.
 */
export async function* freeing(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let since = 0
  for await (const chunk of chunks) {
    yield chunk
    since += chunk.length
    if (since < between) continue
    since = 0
    collector()({ type: 'minor' })
  }
}
