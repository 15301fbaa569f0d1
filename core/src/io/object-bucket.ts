// Objects of an S3 bucket, by the minio client: it signs and reads answers; tries, limits and time limits are ours.
import http from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import { Client } from 'minio'
import { isZosError } from '../error.js'
import { sha256 } from '../model/canonical.js'
import type { BucketLocation, ObjectContent, ObjectInfo, ObjectStore, PutOptions } from '../model/object-store.js'
import { createLimiter } from './http-limit.js'
import { objectFailure, objectTooLarge } from './object-failure.js'
import { checkBucket, checkKey, shownObjectUrl } from './object-location.js'
import { backoff, type RetryOptions, wait } from './retry.js'

/** Requests at once with one bucket. */
const atOnce = 16

export interface BucketOptions {
  readonly retry: RetryOptions
  /** Milliseconds without a byte in either direction after which a connection counts as dead. */
  readonly stall: number
}

/** Five tries within some 15 seconds: as long as a server takes to start again. */
export const defaultBucketOptions: BucketOptions = {
  retry: { tries: 5, firstWait: 300, longestWait: 10_000 },
  stall: 30_000,
}

/** Node's transport with a limit on silence, and an end when the signal says so. */
const transportOf = (tls: boolean, stall: number, signal: AbortSignal): typeof http => {
  const base = tls ? https : http
  const request = (options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void) => {
    const started = base.request({ ...options, signal }, onResponse)
    started.setTimeout(stall, () =>
      started.destroy(Object.assign(new Error('connection stalled'), { code: 'UND_ERR_BODY_TIMEOUT' })),
    )
    return started
  }
  return { ...base, request } as typeof http
}

interface Body {
  readonly size: number
  readonly sha256: string
  open(): Buffer | Readable
}

const bodyOf = (content: ObjectContent): Body => {
  if (typeof content === 'object' && 'blob' in content) {
    const { blob, reader } = content
    return { ...blob, open: () => Readable.from(reader.stream(blob)) }
  }
  const bytes = Buffer.from(content as string | Uint8Array)
  return { size: bytes.length, sha256: sha256(bytes), open: () => bytes }
}

const unquoted = (etag: string | undefined): string => (etag ?? '').replace(/^"|"$/g, '')

export const openBucket = (
  location: BucketLocation,
  signal: AbortSignal,
  { retry, stall }: BucketOptions = defaultBucketOptions,
): ObjectStore => {
  const { bucket, region, tls, host, accessKey, secretKey } = location
  checkBucket(location)
  const before = location.prefix === '' ? '' : `${location.prefix}/`
  const agent = new (tls ? https : http).Agent({ keepAlive: true, maxSockets: atOnce, scheduling: 'lifo' })
  const client = new Client({
    endPoint: host,
    port: location.port,
    useSSL: tls,
    region,
    ...(accessKey !== undefined && { accessKey, secretKey: secretKey! }),
    pathStyle: true,
    transport: transportOf(tls, stall, signal),
    transportAgent: agent,
    retryOptions: { disableRetry: true },
  })
  const limiter = createLimiter({ total: atOnce, perHost: atOnce })
  const url = (key?: string): string => shownObjectUrl(location, key)
  const nameOf = (key: string): string => before + checkKey(key)

  /** One request, tried again while that can help; `work` starts it anew. */
  const tried = <T>(key: string | undefined, work: () => Promise<T>): Promise<T> =>
    limiter.run(host, signal, async () => {
      for (let failed = 1; ; failed++) {
        try {
          return await work()
        } catch (cause) {
          signal.throwIfAborted()
          const { error, worthRetrying } = objectFailure(url(key), cause)
          if (!worthRetrying || failed >= retry.tries) throw error
          await wait(backoff(failed, retry, Math.random), signal)
        }
      }
    })

  const ask = (method: 'GET' | 'HEAD' | 'DELETE', key: string, headers: Record<string, string> = {}) =>
    client.makeRequestAsync(
      { method, bucketName: bucket, objectName: nameOf(key), headers },
      '',
      [200, 204, 206],
      region,
    )

  /** `undefined` where there is no such object. */
  const orNone = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work
    } catch (error) {
      if (isZosError(error) && error.code === 'OBJECT_MISSING') return undefined
      throw error
    }
  }

  const put = async (key: string, content: ObjectContent, options: PutOptions = {}): Promise<{ etag: string }> => {
    const body = bodyOf(content)
    const headers = {
      'content-length': String(body.size),
      'content-type': options.contentType ?? 'application/octet-stream',
      ...(options.ifAbsent && { 'if-none-match': '*' }),
      ...(options.ifMatch !== undefined && { 'if-match': `"${options.ifMatch}"` }),
    }
    // Over HTTPS and for requests without keys the client takes no digest.
    const digest = tls || accessKey === undefined ? '' : body.sha256
    const answer = await tried(key, async () => {
      const request = { method: 'PUT', bucketName: bucket, objectName: nameOf(key), headers }
      const response = await client.makeRequestStreamAsync(request, body.open(), digest, [200], region)
      response.resume()
      return unquoted(response.headers.etag)
    })
    return { etag: answer }
  }

  async function* get(key: string, { limit }: { readonly limit: number }): AsyncIterable<Uint8Array> {
    let done = 0
    let etag = ''
    for (let failed = 1; ; failed++) {
      const range: Record<string, string> = done > 0 ? { range: `bytes=${done}-`, 'if-match': `"${etag}"` } : {}
      const response = await tried(key, () => ask('GET', key, range))
      etag = unquoted(response.headers.etag)
      const started = done
      try {
        for await (const chunk of response) {
          done += (chunk as Uint8Array).length
          if (done > limit) throw objectTooLarge(url(key), limit)
          yield chunk as Uint8Array
        }
        return
      } catch (cause) {
        signal.throwIfAborted()
        const { error, worthRetrying } = objectFailure(url(key), cause)
        if (done > started) failed = 0
        if (!worthRetrying || failed >= retry.tries) throw error
        await wait(backoff(failed + 1, retry, Math.random), signal)
      } finally {
        response.destroy()
      }
    }
  }

  const whole = (key: string, limit: number): Promise<{ bytes: Uint8Array; etag: string }> =>
    tried(key, async () => {
      const response = await ask('GET', key)
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of response) {
        size += (chunk as Uint8Array).length
        if (size > limit) {
          response.destroy()
          throw objectTooLarge(url(key), limit)
        }
        chunks.push(chunk as Uint8Array)
      }
      return { bytes: Buffer.concat(chunks), etag: unquoted(response.headers.etag) }
    })

  const head = async (key: string): Promise<ObjectInfo | undefined> => {
    const look = tried(key, async () => {
      const response = await ask('HEAD', key)
      // Without this the connection is not free again, though the answer has no body.
      response.resume()
      const { headers } = response
      return {
        key,
        size: Number(headers['content-length']),
        etag: unquoted(headers.etag),
        modified: Date.parse(headers['last-modified'] ?? ''),
      }
    })
    try {
      return await orNone(look)
    } catch (error) {
      // An answer to HEAD has no words: ask again in a way that brings the reason.
      if (isZosError(error) && error.code === 'OBJECTS_DENIED')
        await tried(key, async () => (await ask('GET', key)).destroy())
      throw error
    }
  }

  async function* list(prefix = ''): AsyncIterable<ObjectInfo> {
    let token = ''
    do {
      const page = await tried(undefined, () => client.listObjectsV2Query(bucket, before + prefix, token, '', 1000, ''))
      for (const { name, size, etag, lastModified } of page.objects as readonly BucketItem[])
        yield { key: name.slice(before.length), size, etag: unquoted(etag), modified: lastModified.getTime() }
      token = page.isTruncated ? (page.nextContinuationToken ?? '') : ''
    } while (token !== '')
  }

  return {
    url,
    put,
    get,
    read: (key, { limit }) => orNone(whole(key, limit)),
    head,
    list,
    remove: async (key) => {
      await orNone(tried(key, async () => (await ask('DELETE', key)).resume()))
    },
    close: () => agent.destroy(),
  }
}

interface BucketItem {
  readonly name: string
  readonly size: number
  readonly etag: string
  readonly lastModified: Date
}
