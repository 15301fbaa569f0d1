// Where things go, made of options, a classic rfs.conf and variables. Precedence: variable, option, file.
import { type BucketLocation, ExitCode, isZosError, parseObjectUrl, type Secret, ZosError } from '@zos/core'
import type { S3Options } from './options.js'
import { parseRfsConf, type RfsConf, type RfsConfKey } from './rfs-conf.js'

/** Looks up one key: the variable, else the option, else the file. */
export type Lookup = (key: RfsConfKey, option?: string) => string | undefined

/** The parts of a context that settings are read through. */
export interface SettingsReader {
  /** A file of the project; `undefined`, or `FILE_MISSING`, where there is none. */
  text(path: string, options: { readonly secret: true }): Promise<string | undefined>
  env(name: string): string | undefined
}

const confOf = async (path: string | undefined, reader: SettingsReader): Promise<RfsConf> => {
  if (path === undefined) return {}
  try {
    return parseRfsConf((await reader.text(path, { secret: true })) ?? '', path)
  } catch (error) {
    if (isZosError(error) && error.code === 'FILE_MISSING') return {}
    throw error
  }
}

export const lookupOf = async (config: string | undefined, reader: SettingsReader): Promise<Lookup> => {
  const conf = await confOf(config, reader)
  return (key, option) => reader.env(key) || option || conf[key] || undefined
}

const missing = (names: readonly RfsConfKey[], { config }: S3Options): ZosError =>
  new ZosError('S3_SETTINGS', `not set: ${names.join(', ')}`, {
    hint: `set them as variables${config === undefined ? ' or options of s3({ … })' : ` or in ${config}; config/rfs.conf.example has every key`}`,
    exit: ExitCode.config,
  })

/** Host, port and protocol of `http://HOST:PORT`; the port may be left out, as people know it from browsers. */
const endpointOf = (key: RfsConfKey, text: string): Pick<BucketLocation, 'tls' | 'host' | 'port'> => {
  let url: URL | undefined
  try {
    url = new URL(text)
  } catch {
    // Told below.
  }
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || !/^\/?$/.test(url.pathname))
    throw new ZosError('S3_ENDPOINT', `${key}=${text}: expected http://HOST:PORT or https://HOST:PORT`, {
      exit: ExitCode.config,
    })
  const tls = url.protocol === 'https:'
  return { tls, host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) || (tls ? 443 : 80) }
}

const trimmed = (path: string): string => path.split('/').filter(Boolean).join('/')

const needed = (lookup: Lookup, options: S3Options, wanted: Partial<Record<RfsConfKey, string | undefined>>) => {
  const found = Object.entries(wanted).map(([key, option]) => [key, lookup(key as RfsConfKey, option)] as const)
  const without = found.filter(([, value]) => value === undefined).map(([key]) => key as RfsConfKey)
  if (without.length > 0) throw missing(without, options)
  return Object.fromEntries(found) as Record<RfsConfKey, string>
}

/** Bucket and keys of the user that writes; only for publishing. `secret` opens a secret option. */
export const writeLocation = (
  options: S3Options,
  lookup: Lookup,
  secret: (value: Secret) => string,
): BucketLocation => {
  const opened = (value: Secret | undefined): string | undefined => value && secret(value)
  const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY } = needed(lookup, options, {
    S3_ENDPOINT: options.endpoint,
    S3_BUCKET: options.bucket,
    S3_ACCESS_KEY: opened(options.accessKey),
    S3_SECRET_KEY: opened(options.secretKey),
  })
  return {
    kind: 's3',
    ...endpointOf('S3_ENDPOINT', S3_ENDPOINT),
    bucket: S3_BUCKET,
    prefix: trimmed(lookup('S3_PREFIX', options.prefix) ?? ''),
    region: lookup('S3_REGION', options.region) ?? 'us-east-1',
    accessKey: S3_ACCESS_KEY,
    secretKey: S3_SECRET_KEY,
  }
}

/** What a URL of the rfs program holds as it stands: its reader does not decode `%41`. */
const plainKey = /^[A-Za-z0-9._~-]+$/

/**
 * The read-only route that a flist carries: `s3://KEY:SECRET@HOST:PORT/PATH?region=NAME`. A key that would have to be
 * escaped in it is `S3_READ_KEY`.
 */
export const readRoute = (options: S3Options, lookup: Lookup): string => {
  const { S3_ENDPOINT, READ_ACCESS_KEY, READ_SECRET_KEY } = needed(lookup, options, {
    S3_ENDPOINT: options.endpoint,
    READ_ACCESS_KEY: undefined,
    READ_SECRET_KEY: undefined,
  })
  for (const [key, value] of Object.entries({ READ_ACCESS_KEY, READ_SECRET_KEY }))
    if (!plainKey.test(value))
      throw new ZosError(
        'S3_READ_KEY',
        `${key} has characters that a URL has to escape, and the rfs program does not undo that`,
        {
          hint: 'make another read-only key, of letters, digits, - . _ and ~',
          exit: ExitCode.config,
        },
      )
  const other = lookup('ROUTE_ENDPOINT', options.route?.endpoint)
  const { tls, host, port } = other ? endpointOf('ROUTE_ENDPOINT', other) : endpointOf('S3_ENDPOINT', S3_ENDPOINT)
  const path = trimmed(lookup('ROUTE_PATH', options.route?.path) ?? '/blobs')
  const region = lookup('ROUTE_REGION', options.route?.region) ?? 'garage'
  const authority = `${READ_ACCESS_KEY}:${READ_SECRET_KEY}@${host.includes(':') ? `[${host}]` : host}:${port}`
  const route = `${tls ? 's3s' : 's3'}://${authority}/${path}?region=${encodeURIComponent(region)}`
  parseObjectUrl(route)
  return route
}

/** The route with keys that only read; where settings are missing, which, and what to do. */
export type EmbeddedRoute = { readonly url: string } | { readonly missing: string; readonly hint: string }

/** The route for flists, as far as its settings are there; a build without them works. */
export const embeddedRoute = async (options: S3Options, reader: SettingsReader): Promise<EmbeddedRoute> => {
  try {
    return { url: readRoute(options, await lookupOf(options.config, reader)) }
  } catch (error) {
    if (!isZosError(error) || error.code !== 'S3_SETTINGS') throw error
    return { missing: error.message, hint: error.hint[0] ?? '' }
  }
}

/** Where the kernels and the flists lie below a location. */
export interface Subpaths {
  readonly kernels: string
  readonly manifests: string
}

/** Whether a target is switched off. A variable has been heard by then; what is left is the file. */
export const isOff = (lookup: Lookup, target: keyof Subpaths): boolean => {
  const key = target === 'kernels' ? 'UPLOAD_KERNEL' : 'UPLOAD_MANIFESTS'
  const value = lookup(key)
  if (value !== undefined && !/^(true|false|1|0)$/.test(value))
    throw new ZosError('S3_SWITCH', `${key}=${value}: expected true, false, 1 or 0`, { exit: ExitCode.config })
  return value === 'false' || value === '0'
}

const subpath = (key: RfsConfKey, text: string): string => {
  if (!text.split('/').includes('..')) return trimmed(text)
  throw new ZosError('S3_SUBPATH', `${key}=${text}: expected a folder below the prefix, without ".."`, {
    exit: ExitCode.config,
  })
}

export const subpathsOf = (options: Pick<S3Options, 'kernels' | 'manifests'>, lookup: Lookup): Subpaths => ({
  kernels: subpath('KERNEL_SUBPATH', lookup('KERNEL_SUBPATH', options.kernels) ?? 'kernel'),
  manifests: subpath('MANIFESTS_SUBPATH', lookup('MANIFESTS_SUBPATH', options.manifests) ?? 'manifests'),
})
