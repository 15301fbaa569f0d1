import { setTimeout as sleep } from 'node:timers/promises'

export interface RetryOptions {
  /** Attempts in a row without any progress before giving up; at least 1. */
  readonly tries: number
  /** Wait before the second attempt, in milliseconds; each further wait is three times as long. */
  readonly firstWait: number
  /** No wait is longer than this, in milliseconds; it also bounds what a server asks for by `Retry-After`. */
  readonly longestWait: number
}

/** Three tries, about 1 and 3 seconds apart. */
export const defaultRetry: RetryOptions = { tries: 3, firstWait: 1_000, longestWait: 30_000 }

/**
 * Milliseconds to wait after the `failed`-th attempt (1 for the first): exponential, with jitter that takes up to a
 * quarter away, so that many waiting downloads do not come back at once. A server's own wish is kept as a minimum.
 */
export const backoff = (failed: number, options: RetryOptions, random: () => number, wished = 0): number => {
  const wait = Math.min(options.firstWait * 3 ** (failed - 1), options.longestWait)
  return Math.round(Math.min(Math.max(wait * (1 - random() / 4), wished), options.longestWait))
}

/** Milliseconds that a `Retry-After` header asks for (RFC 9110, 10.2.3: seconds or a date); 0 if it says nothing. */
export const retryAfter = (header: string | undefined, now: number): number => {
  if (header === undefined) return 0
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? 0 : Math.max(0, date - now)
}

/** Waits; an abort ends the wait with the signal's reason. */
export const wait = async (milliseconds: number, signal: AbortSignal | undefined): Promise<void> => {
  try {
    await sleep(milliseconds, undefined, signal && { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
