import { ExitCode, ZosError } from '../error.js'

/**
 * Why an attempt failed. `network`, `cut` and `busy` are worth another try at the same address; the others are not.
 * `content` is a digest or size that differs from what was asked for.
 */
export type FailureKind = 'network' | 'cut' | 'busy' | 'status' | 'redirect' | 'certificate' | 'content' | 'size'

/** One attempt that failed; it never leaves the http files. */
export class HttpFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly facts: { readonly status?: number; readonly retryAfter?: number } = {},
  ) {
    super(message)
  }

  get worthRetrying(): boolean {
    return this.kind === 'network' || this.kind === 'cut' || this.kind === 'busy'
  }
}

/** What became of one address: all its attempts, and the last reason. */
export interface MirrorFailure {
  readonly url: string
  readonly failure: HttpFailure
  readonly tries: number
  /** From the first attempt to the last failure. */
  readonly milliseconds: number
}

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'name does not resolve',
  EAI_AGAIN: 'name does not resolve',
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
}
const cuts: Readonly<Record<string, string>> = {
  ECONNRESET: 'connection was cut',
  EPIPE: 'connection was cut',
  UND_ERR_SOCKET: 'connection was cut',
  UND_ERR_ABORTED: 'connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the content does not have its declared length',
  UND_ERR_BODY_TIMEOUT: 'connection stalled',
}
const certificate = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH)/

const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return ''
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if ('code' in error && typeof error.code === 'string') return error.code
  return 'cause' in error ? codeOf(error.cause) : ''
}

/** Turns what the HTTP client threw into a reason that a person understands. */
export const transportFailure = (error: unknown): HttpFailure => {
  if (error instanceof HttpFailure) return error
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  const proxy = /Proxy (?:response|Authentication Required) \((\d+)\)/.exec(message)
  if (proxy) return new HttpFailure(proxy[1] === '407' ? 'status' : 'network', `the proxy answered ${proxy[1]}`)
  const reason = reasons[code]
  if (reason !== undefined) return new HttpFailure('network', reason)
  const cut = cuts[code]
  if (cut !== undefined) return new HttpFailure('cut', cut)
  if (certificate.test(code)) return new HttpFailure('certificate', `its certificate is not trusted (${code})`)
  if (code.startsWith('HPE_')) return new HttpFailure('cut', `the answer is not valid HTTP (${code})`)
  return new HttpFailure('network', code === '' ? message : `${message} (${code})`)
}

/** An address as it may be shown: no credentials, no query (it may hold a signature). */
export const shownUrl = (url: string): string => {
  const { protocol, host, pathname, search } = new URL(url)
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`
}

const seconds = (milliseconds: number): string =>
  milliseconds < 950 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / 1000)} s`

const describe = ({ url, failure, tries, milliseconds }: MirrorFailure): string => {
  const effort = failure.worthRetrying && tries > 1 ? ` (${tries} tries, ${seconds(milliseconds)})` : ''
  if (failure.kind === 'network') return `${new URL(url).host} could not be reached: ${failure.message}${effort}`
  return `${shownUrl(url)}: ${failure.message}${effort}`
}

const hintFor = (failures: readonly MirrorFailure[]): string | undefined => {
  const kinds = new Set(failures.map(({ failure }) => failure.kind))
  if (kinds.has('network')) {
    return 'is the network up? behind a proxy, set http_proxy and https_proxy; another mirror may be named in the config'
  }
  if (kinds.has('certificate')) return 'name the file of your own certificate authority in SSL_CERT_FILE'
  if (kinds.has('content'))
    return 'the file was replaced or damaged on the server: if that is right, pin its new digest (zos update)'
  if (failures.some(({ failure }) => failure.facts.status === 404 || failure.facts.status === 410))
    return 'the file is not there, or no longer: is there a newer version (zos update), or another mirror?'
  return undefined
}

/** The one error for a file that no mirror gave. `data.status` is set when every mirror answered with that status. */
export const fetchError = (failures: readonly MirrorFailure[]): ZosError => {
  const first = failures[0]
  if (first === undefined) throw new RangeError('no address to fetch from')
  const { pathname, host } = new URL(first.url)
  const subject = pathname.split('/').at(-1) || host
  const lines = failures.map(describe)
  const status = first.failure.facts.status
  const hint = hintFor(failures)
  return new ZosError(
    'FETCH_HTTP',
    lines.length === 1 ? (lines[0] as string) : [`none of ${lines.length} mirrors gave it`, ...lines].join('\n'),
    {
      exit: ExitCode.fetch,
      subject,
      ...(hint !== undefined && { hint }),
      data: {
        ...(failures.every(({ failure }) => failure.facts.status === status) && status !== undefined && { status }),
        mirrors: failures.map(({ url, failure, tries, milliseconds }) => ({
          url: shownUrl(url),
          kind: failure.kind,
          reason: failure.message,
          ...(failure.facts.status !== undefined && { status: failure.facts.status }),
          tries,
          milliseconds: Math.round(milliseconds),
        })),
      },
    },
  )
}

/** The errors of several addresses of one file as one. */
export const joinedFetchError = (errors: readonly ZosError[]): ZosError => {
  const [first] = errors
  if (first === undefined) throw new RangeError('no address to fetch from')
  if (errors.length === 1) return first
  const { exit, hint, place } = first
  const mirrors = errors.flatMap(({ data }) => (Array.isArray(data.mirrors) ? data.mirrors : []))
  const lines = errors.map(({ message }) => message)
  const status = errors.every(({ data }) => data.status === first.data.status) ? first.data.status : undefined
  return new ZosError('FETCH_HTTP', [`none of ${errors.length} mirrors gave it`, ...lines].join('\n'), {
    exit,
    hint,
    ...place,
    data: { mirrors, ...(status !== undefined && { status }) },
  })
}
