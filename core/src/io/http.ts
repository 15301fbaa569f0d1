import { ExitCode, ZosError } from '../error.js'
import { defaultTimeouts, exchange, type HttpTimeouts } from './http-exchange.js'
import { fetchError, HttpFailure, type MirrorFailure } from './http-failure.js'
import { createLimiter, defaultLimits, type HttpLimits } from './http-limit.js'
import { openPartial, type Partial } from './http-partial.js'
import { createTransport, type Environment } from './http-proxy.js'
import { checkSize, type Expected, type TransferContext, transfer, verify } from './http-transfer.js'
import { backoff, defaultRetry, type RetryOptions, wait } from './retry.js'

export interface DownloadRequest extends Expected {
  /** Addresses of the same file, tried in this order; credentials in them are used and never shown. */
  readonly urls: readonly string[]
}

/** A file that is what was asked for, at a temporary path that is gone once it has been taken. */
export interface Download {
  readonly path: string
  readonly sha256: string
  readonly size: number
}

export interface DownloadOptions {
  readonly signal?: AbortSignal
  /** Bytes so far, and the whole size where it is known. */
  readonly onProgress?: (bytes: number, total: number | undefined) => void
}

export interface TextRequest {
  readonly maxSize: number
  /** Entity tag of an earlier answer: the server may say that it still holds. */
  readonly etag?: string
  readonly signal?: AbortSignal
}

/** `content` is missing when the server said that what `etag` names still holds. */
export interface Fetched<Content> {
  readonly content: Content | undefined
  readonly etag: string | undefined
}

export interface Http {
  /**
   * Downloads one file; `accept` gets it only when size and digest are right, and may move it away. A download that is
   * cut or aborted is continued, in this run or a later one. Errors: `FETCH_HTTP` with every mirror and its reason
   * (`data.status` when all answered with the same one), the signal's reason, and what `accept` throws.
   */
  download<T>(request: DownloadRequest, accept: (file: Download) => Promise<T>, options?: DownloadOptions): Promise<T>
  /** A small file into memory. Errors as `download`. */
  fetchBytes(url: string, request: TextRequest): Promise<Fetched<Uint8Array>>
  /** A small UTF-8 file into memory; other bytes are `FETCH_TEXT`. Errors as `download`. */
  fetchText(url: string, request: TextRequest): Promise<Fetched<string>>
  /** Closes all connections. */
  close(): Promise<void>
}

export interface HttpOptions {
  /** Where files lie while they come in; on the same file system as the store. */
  readonly folder: string
  /** Proxies and certificates by the usual variables. */
  readonly env: Environment
  readonly limits?: HttpLimits
  readonly retry?: RetryOptions
  readonly timeouts?: HttpTimeouts
}

/** However much progress there is between cuts, no address is asked more often for one file. */
const mostAttempts = 50

const checkUrls = (urls: readonly string[]): void => {
  if (urls.length === 0) throw new ZosError('FETCH_URL', 'no address is given', { exit: ExitCode.fetch })
  for (const url of urls) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) continue
    throw new ZosError('FETCH_URL', `'${url}' is no http or https address`, { exit: ExitCode.fetch })
  }
}

/** Downloads of one build: they share connections, and never run more than `limits` at once. */
export const createHttp = (options: HttpOptions): Http => {
  const { folder, env, limits = defaultLimits, retry = defaultRetry, timeouts = defaultTimeouts } = options
  const transport = createTransport(env, timeouts.connect, limits.perHost)
  const limiter = createLimiter(limits)

  /** Tries one address until it gives, or is not worth another try. `progress` tells bytes that are safe. */
  const tryMirror = async <T>(
    url: string,
    attempt: () => Promise<T>,
    progress: () => number,
    signal: AbortSignal | undefined,
  ): Promise<{ value: T } | MirrorFailure> => {
    const start = performance.now()
    let tries = 0
    let stuck = 0
    for (;;) {
      const before = progress()
      tries++
      try {
        return { value: await limiter.run(new URL(url).host, signal, attempt) }
      } catch (error) {
        if (!(error instanceof HttpFailure)) throw error
        stuck = progress() > before ? 1 : stuck + 1
        if (!error.worthRetrying || stuck >= retry.tries || tries >= mostAttempts) {
          return { url, failure: error, tries, milliseconds: performance.now() - start }
        }
        await wait(backoff(stuck, retry, Math.random, error.facts.retryAfter), signal)
      }
    }
  }

  /** One attempt at one address; a second request is made when the first part turns out to be of another file. */
  const attempt = async (
    url: string,
    partial: Partial,
    expected: Expected,
    context: TransferContext,
  ): Promise<void> => {
    for (;;) {
      const continued = partial.size > 0
      try {
        // A partial file of the full size needs no request: an earlier run ended between its last byte and the end.
        if (!continued || partial.size !== expected.size) await transfer(url, partial, expected, context)
        return verify(partial, expected)
      } catch (error) {
        if (!(error instanceof HttpFailure) || error.kind !== 'content') throw error
        await partial.restart(undefined)
        if (!continued) throw error
      }
    }
  }

  const fetchBytes = async (url: string, { maxSize, etag, signal }: TextRequest): Promise<Fetched<Uint8Array>> => {
    checkUrls([url])
    const once = async (): Promise<Fetched<Uint8Array>> => {
      const headers: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag }
      const answer = await exchange(transport, url, headers, timeouts, signal)
      try {
        if (answer.status === 304 && etag !== undefined) return { content: undefined, etag }
        if (answer.status !== 200) {
          throw new HttpFailure('status', `answered ${answer.status}`, { status: answer.status })
        }
        const chunks: Uint8Array[] = []
        let size = 0
        for await (const chunk of answer.body) {
          size += chunk.length
          checkSize(size, false, { maxSize })
          chunks.push(chunk)
        }
        return { content: Buffer.concat(chunks), etag: answer.header('etag') }
      } finally {
        answer.discard()
      }
    }
    const result = await tryMirror(url, once, () => 0, signal)
    if ('value' in result) return result.value
    throw fetchError([result])
  }

  return {
    async download(request, accept, { signal, onProgress } = {}) {
      checkUrls(request.urls)
      const { urls, ...expected } = request
      const context: TransferContext = { transport, timeouts, signal, onProgress }
      const failures: MirrorFailure[] = []
      for (const url of urls) {
        signal?.throwIfAborted()
        const partial = await openPartial(folder, expected.sha256, url)
        try {
          const result = await tryMirror(
            url,
            () => attempt(url, partial, expected, context),
            () => partial.size,
            signal,
          )
          if ('value' in result) {
            await partial.flush()
            const taken = await accept({ path: partial.path, sha256: partial.digest(), size: partial.size })
            await partial.discard()
            return taken
          }
          failures.push(result)
        } catch (error) {
          await partial.keep()
          throw error
        }
        await partial.keep()
      }
      throw fetchError(failures)
    },
    fetchBytes,
    async fetchText(url, request) {
      const { content, etag } = await fetchBytes(url, request)
      if (content === undefined) return { content, etag }
      try {
        return { content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content), etag }
      } catch (cause) {
        throw new ZosError('FETCH_TEXT', `${url} is not UTF-8 text`, { exit: ExitCode.fetch, cause })
      }
    },
    close: () => transport.close(),
  }
}
