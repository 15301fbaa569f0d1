import { readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { Dispatcher } from 'undici'
import { ExitCode, ZosError } from '../error.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface ProxySettings {
  /** Proxy for `http:` addresses; an empty text is none. */
  readonly http: string
  /** Proxy for `https:` addresses. */
  readonly https: string
  /** Hosts that are reached directly: names, suffixes, `host:port`, `*`; separated by commas. */
  readonly none: string
}

const proxyUrl = (env: Environment, name: string): string => {
  const value = env[name.toLowerCase()] ?? env[name.toUpperCase()] ?? ''
  if (value === '') return ''
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new ZosError('FETCH_PROXY', `${name} is '${value}', expected an http address as http://proxy.example:3128`, {
    exit: ExitCode.usage,
  })
}

/** Proxies as the usual variables name them, small letters first; a value without a scheme is an http address. */
export const proxySettings = (env: Environment): ProxySettings => ({
  http: proxyUrl(env, 'http_proxy'),
  https: proxyUrl(env, 'https_proxy'),
  none: env.no_proxy ?? env.NO_PROXY ?? '',
})

/** Where the certificate bundle of a distribution lies, first that exists. */
const bundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']

const readBundle = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Trusts what the host's own programs trust, besides what Node brings. */
const trust = (env: Environment): SecureContext => {
  const ca = [...rootCertificates]
  for (const path of [env.NODE_EXTRA_CA_CERTS, env.SSL_CERT_FILE]) {
    if (path === undefined || path === '') continue
    const text = readBundle(path)
    if (text === undefined) throw new ZosError('FETCH_CERTIFICATES', `${path} cannot be read`, { exit: ExitCode.host })
    ca.push(text)
  }
  if (!env.SSL_CERT_FILE) {
    for (const path of bundles) {
      const text = readBundle(path)
      if (text === undefined) continue
      ca.push(text)
      break
    }
  }
  return createSecureContext({ ca })
}

export interface Transport {
  /** Sends one request; neither follows redirects nor decodes content. */
  request(url: string, options: Omit<Dispatcher.RequestOptions, 'path' | 'origin'>): Promise<Dispatcher.ResponseData>
  close(): Promise<void>
}

/** Connections, made on first use, by way of the proxies that `env` names. `connectTimeout` is in milliseconds. */
export const createTransport = (env: Environment, connectTimeout: number, perHost: number): Transport => {
  const proxies = proxySettings(env)
  const agents = new Map<string, Promise<Dispatcher>>()
  let secure: SecureContext | undefined

  const agentFor = async (protocol: string): Promise<Dispatcher> => {
    const { Agent, EnvHttpProxyAgent } = await import('undici')
    if (protocol === 'https:') secure ??= trust(env)
    const tls = secure && { secureContext: secure }
    const common = { connections: perHost, connect: { ...tls, timeout: connectTimeout } }
    const proxy = protocol === 'https:' ? proxies.https : proxies.http
    if (proxy === '') return new Agent(common)
    return new EnvHttpProxyAgent({
      ...common,
      httpProxy: proxy,
      httpsProxy: proxy,
      noProxy: proxies.none,
      // Plain http goes through the proxy as a whole request, as other programs do; many proxies refuse CONNECT to port 80.
      proxyTunnel: false,
      ...(tls && { requestTls: tls }),
      proxyTls: { ...tls, timeout: connectTimeout },
    })
  }

  return {
    async request(url, options) {
      const { protocol } = new URL(url)
      let agent = agents.get(protocol)
      if (agent === undefined) {
        agent = agentFor(protocol)
        agents.set(protocol, agent)
      }
      const [{ request }, dispatcher] = await Promise.all([import('undici'), agent])
      return await request(url, { ...options, dispatcher })
    },
    async close() {
      const open = await Promise.all(agents.values())
      agents.clear()
      await Promise.all(open.map((agent) => agent.destroy()))
    },
  }
}
