import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A heap below this is not worth a collection. Bytes. */
const large = 96 << 20

/**
 * Gives memory back that a phase no longer needs: V8 keeps a heap that has grown, as the index of a distribution makes it
 * grow, and what encoders of later phases take would come on top.
 */
export const releaseHeap = (): void => {
  if (process.memoryUsage().heapTotal < large) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
