import { type Answer, exchange, type HttpTimeouts } from './http-exchange.js'
import { HttpFailure } from './http-failure.js'
import type { Partial } from './http-partial.js'
import type { Transport } from './http-proxy.js'

/** What a file has to be. */
export interface Expected {
  /** SHA-256 as 64 hex digits. Without one, whatever the first mirror gives is taken. */
  readonly sha256?: string
  /** Bytes. */
  readonly size?: number
  /** Never more bytes than this are taken. */
  readonly maxSize: number
}

export interface TransferContext {
  readonly transport: Transport
  readonly timeouts: HttpTimeouts
  readonly signal: AbortSignal | undefined
  /** `total` is the whole size where it is known. Bytes of an earlier attempt count; a restart begins at 0 again. */
  readonly onProgress: ((bytes: number, total: number | undefined) => void) | undefined
}

const strongTag = (answer: Answer): string | undefined => {
  const tag = answer.header('etag')
  return tag?.startsWith('"') ? tag : undefined
}

/** `bytes FIRST-LAST/TOTAL` (RFC 9110, 14.4); a total of `*` is unknown. */
const contentRange = (header: string | undefined): { first: number; total: number | undefined } | undefined => {
  const [, first, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(header ?? '') ?? []
  if (first === undefined || total === undefined) return undefined
  return { first: Number(first), total: total === '*' ? undefined : Number(total) }
}

const declaredLength = (answer: Answer): number | undefined => {
  const text = answer.header('content-length')
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Refuses a file by its size as soon as it is known. */
export const checkSize = (bytes: number, whole: boolean, expected: Expected): void => {
  if (expected.size !== undefined && (bytes > expected.size || (whole && bytes !== expected.size))) {
    throw new HttpFailure('content', `has ${whole ? '' : 'more than '}${bytes} bytes, expected ${expected.size}`)
  }
  if (bytes > expected.maxSize) throw new HttpFailure('size', `is larger than the limit of ${expected.maxSize} bytes`)
}

const rangeHeaders = (partial: Partial, expected: Expected): Record<string, string> => {
  if (partial.size === 0) return {}
  const range = { range: `bytes=${partial.size}-` }
  // With a digest the whole is proven at the end; without one the server has to vouch for the first part.
  if (expected.sha256 !== undefined) return range
  return partial.etag === undefined ? {} : { ...range, 'if-range': partial.etag }
}

/** Brings `partial` to its end from one address. Throws `HttpFailure`; bytes that came before it stay in `partial`. */
export const transfer = async (
  url: string,
  partial: Partial,
  expected: Expected,
  { transport, timeouts, signal, onProgress }: TransferContext,
): Promise<void> => {
  const headers = rangeHeaders(partial, expected)
  const answer = await exchange(transport, url, headers, timeouts, signal)
  try {
    const range = answer.status === 206 ? contentRange(answer.header('content-range')) : undefined
    let total: number | undefined
    if (answer.status === 416 && headers.range !== undefined) {
      await partial.restart(undefined)
      throw new HttpFailure('cut', 'the server has less than what came before')
    }
    if (range !== undefined && headers.range !== undefined && range.first === partial.size) {
      total = range.total
    } else if (answer.status === 200) {
      await partial.restart(strongTag(answer))
      total = declaredLength(answer)
    } else {
      throw new HttpFailure('status', `answered ${answer.status} to a request for a whole file`, {
        status: answer.status,
      })
    }
    if (total !== undefined) checkSize(total, true, expected)
    onProgress?.(partial.size, total ?? expected.size)
    for await (const chunk of answer.body) {
      checkSize(partial.size + chunk.length, false, expected)
      await partial.append(chunk)
      onProgress?.(partial.size, total ?? expected.size)
    }
    if (total !== undefined && partial.size !== total) throw new HttpFailure('cut', 'connection was cut')
  } finally {
    answer.discard()
  }
}

/** Judges a finished file; throws `HttpFailure` when it is not what was expected. */
export const verify = (partial: Partial, expected: Expected): void => {
  checkSize(partial.size, true, expected)
  const digest = partial.digest()
  if (expected.sha256 !== undefined && digest !== expected.sha256) {
    throw new HttpFailure('content', `has SHA-256 ${digest}, expected ${expected.sha256}`)
  }
}
