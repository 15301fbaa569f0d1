// What two builds want at the same time is made by one of them.
import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../store/store.js'

/** Milliseconds between two looks at what another build makes. */
const interval = 100

/**
 * Makes something under a claim, or takes what another build made meanwhile. A build alone with its store asks for none:
 * thousands of small results would cost a write each.
 */
export const onceAmongBuilds = async <T>(
  store: Store,
  signal: AbortSignal,
  key: string,
  recall: () => Promise<T | undefined>,
  make: () => Promise<T>,
): Promise<T> => {
  if (!store.hasCompany()) return make()
  while (!store.claim(key)) {
    await pause(interval, undefined, { signal })
    const theirs = await recall()
    if (theirs !== undefined) return theirs
  }
  try {
    // The other may have ended between the look and the claim.
    return (await recall()) ?? (await make())
  } finally {
    store.release(key)
  }
}
