// Which blocks a store has: told by a listing where many are looked for, else asked one by one.
import { isZosError, type ObjectStore } from '@zos/core'

/** Objects that a page of a listing has, and blocks that can be asked for in the time of one page. */
const [pageSize, perPage] = [1000, 64]

/** Size of the object that has a key, `undefined` where there is none. */
export type SizeOf = (key: string) => Promise<number | undefined>

interface Listed {
  readonly sizes: ReadonlyMap<string, number>
  /** The listing says nothing about keys behind this one. */
  readonly last: string
}

/** Up to `limit` objects, in order of their keys. Who may not list learns nothing. */
const listed = async (store: ObjectStore, limit: number): Promise<Listed> => {
  const sizes = new Map<string, number>()
  try {
    for await (const { key, size } of store.list()) {
      sizes.set(key, size)
      if (sizes.size === limit) return { sizes, last: key }
    }
  } catch (error) {
    if (isZosError(error) && error.code === 'OBJECTS_DENIED') return { sizes: new Map(), last: '' }
    throw error
  }
  return { sizes, last: '\uffff' }
}

/**
 * Looks for about `wanted` blocks in a bucket. The listing ends where it would take longer than to ask for each of them, as
 * in a bucket that many share; it begins with the first question.
 */
export const sizesIn = (store: ObjectStore, wanted: number): SizeOf => {
  const pages = Math.floor(wanted / perPage)
  let listing: Promise<Listed> | undefined
  return async (key) => {
    if (pages > 0) {
      listing ??= listed(store, pages * pageSize)
      const { sizes, last } = await listing
      if (key <= last) return sizes.get(key)
    }
    return (await store.head(key))?.size
  }
}
