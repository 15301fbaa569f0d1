import type { Dispatcher } from 'undici'
import { HttpFailure, shownUrl, transportFailure } from './http-failure.js'
import type { Transport } from './http-proxy.js'
import { retryAfter } from './retry.js'

export interface HttpTimeouts {
  /** Milliseconds until a connection stands. */
  readonly connect: number
  /** Milliseconds without a byte, before the answer's head and between parts of its content. */
  readonly idle: number
}

export const defaultTimeouts: HttpTimeouts = { connect: 15_000, idle: 45_000 }

/** One answer with a status of 2xx, 304 or 416; every other became a failure. */
export interface Answer {
  readonly status: number
  /** The first value of a header, by its name in small letters. */
  header(name: string): string | undefined
  /** The content as it came over the wire, never decoded; throws `HttpFailure`. Unless read to its end, `discard`. */
  readonly body: AsyncIterable<Uint8Array>
  discard(): void
}

const maxRedirects = 10
const agentName = 'zos'

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const authorization = (url: URL): Record<string, string> => {
  if (url.username === '' && url.password === '') return {}
  const text = `${decoded(url.username)}:${decoded(url.password)}`
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}

const withoutCredentials = (url: URL): string => {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  bare.hash = ''
  return bare.href
}

const headerOf = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

const redirectTarget = (from: URL, location: string | undefined): URL => {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw new HttpFailure('redirect', 'a redirect without a valid address')
  }
  const to = new URL(location, from)
  if (to.protocol !== 'https:' && to.protocol !== 'http:') {
    throw new HttpFailure('redirect', `a redirect to a ${to.protocol} address`)
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new HttpFailure('redirect', `a redirect from https to plain http (${shownUrl(to.href)})`)
  }
  return to
}

const statusFailure = (status: number, headers: Dispatcher.ResponseData['headers']): HttpFailure => {
  const busy = status >= 500 || status === 429 || status === 408 || status === 425
  const names: Record<number, string> = { 401: 'credentials wanted', 403: 'forbidden', 404: 'not found', 410: 'gone' }
  const name = names[status]
  return new HttpFailure(busy ? 'busy' : 'status', `answered ${status}${name === undefined ? '' : ` (${name})`}`, {
    status,
    retryAfter: busy ? retryAfter(headerOf(headers, 'retry-after'), Date.now()) : 0,
  })
}

async function* read(body: Dispatcher.ResponseData['body'], signal: AbortSignal | undefined) {
  try {
    for await (const chunk of body) yield chunk as Uint8Array
  } catch (error) {
    signal?.throwIfAborted()
    throw transportFailure(error)
  }
}

/**
 * GET `address`, through at most 10 redirects, never from https to http; credentials in an address go to its host alone.
 * Throws `HttpFailure`, or the signal's reason.
 */
export const exchange = async (
  transport: Transport,
  address: string,
  headers: Readonly<Record<string, string>>,
  timeouts: HttpTimeouts,
  signal: AbortSignal | undefined,
): Promise<Answer> => {
  let url = new URL(address)
  let credentials = authorization(url)
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    let response: Dispatcher.ResponseData
    try {
      response = await transport.request(withoutCredentials(url), {
        method: 'GET',
        headers: { 'user-agent': agentName, 'accept-encoding': 'identity', ...credentials, ...headers },
        headersTimeout: timeouts.idle,
        bodyTimeout: timeouts.idle,
        signal: signal ?? null,
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw transportFailure(error)
    }
    const { statusCode, body } = response
    const discard = (): void => {
      body.on('error', () => {}).destroy()
    }
    if ((statusCode >= 200 && statusCode < 300) || statusCode === 304 || statusCode === 416) {
      return {
        status: statusCode,
        header: (name) => headerOf(response.headers, name),
        body: read(body, signal),
        discard,
      }
    }
    discard()
    if (statusCode < 300 || statusCode >= 400) throw statusFailure(statusCode, response.headers)
    const next = redirectTarget(url, headerOf(response.headers, 'location'))
    if (next.username !== '' || next.password !== '') credentials = authorization(next)
    else if (next.origin !== url.origin) credentials = {}
    url = next
  }
  throw new HttpFailure('redirect', `more than ${maxRedirects} redirects`)
}
