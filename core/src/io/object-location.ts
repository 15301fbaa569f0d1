// Addresses of object stores: dir:///PATH, s3://KEY:SECRET@HOST:PORT/BUCKET/PREFIX?region=NAME, and s3s:// for HTTPS.
import { ExitCode, redact, ZosError } from '../error.js'
import type { BucketLocation, ObjectLocation } from '../model/object-store.js'

const defaultRegion = 'us-east-1'

const invalid = (text: string, found: string): ZosError =>
  new ZosError('OBJECTS_URL', `${redact(text)}: ${found}`, {
    hint: 'expected dir:///PATH, or s3://KEY:SECRET@HOST:PORT/BUCKET/PREFIX?region=NAME (s3s:// for HTTPS)',
    exit: ExitCode.config,
  })

const decoded = (text: string, part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid(text, 'a % that no two hexadecimal digits follow')
  }
}

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** Reads the address of a folder or bucket; what is wrong with it is `OBJECTS_URL`. */
export const parseObjectUrl = (text: string): ObjectLocation => {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw invalid(text, 'this is no URL')
  }
  if (url.protocol === 'dir:') {
    if (url.host !== '' || !url.pathname.startsWith('/')) throw invalid(text, 'the path is not absolute')
    return { kind: 'dir', path: decoded(text, url.pathname) }
  }
  if (url.protocol !== 's3:' && url.protocol !== 's3s:') throw invalid(text, `unknown kind ${url.protocol}//`)
  if (url.hostname === '') throw invalid(text, 'it names no host')
  if (url.port === '') throw invalid(text, 'it names no port')
  const [bucket = '', ...rest] = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map((part) => decoded(text, part))
  if (!bucketName.test(bucket))
    throw invalid(text, bucket === '' ? 'it names no bucket' : `${bucket} is no name of a bucket`)
  const [accessKey, secretKey] = [decoded(text, url.username), decoded(text, url.password)]
  if ((accessKey === '') !== (secretKey === '')) throw invalid(text, 'expected access key and secret key, or neither')
  return {
    kind: 's3',
    tls: url.protocol === 's3s:',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port),
    bucket,
    prefix: rest.join('/'),
    region: url.searchParams.get('region') || defaultRegion,
    ...(accessKey !== '' && { accessKey, secretKey }),
  }
}

/** Refuses buckets that no server can have. */
export const checkBucket = ({ bucket }: BucketLocation): void => {
  if (bucketName.test(bucket)) return
  throw new ZosError('OBJECTS_URL', `${JSON.stringify(bucket)} is no name of a bucket`, {
    hint: 'expected 3 to 63 lower-case letters, digits, "-" and "."',
    exit: ExitCode.config,
  })
}

const hostPort = ({ host, port }: BucketLocation): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** The address of a key as it may be shown: no credentials. */
export const shownObjectUrl = (location: ObjectLocation, key = ''): string => {
  if (location.kind === 'dir') return `dir://${location.path.replace(/\/$/, '')}${key && `/${key}`}`
  const { tls, bucket, prefix } = location
  return `${tls ? 's3s' : 's3'}://${hostPort(location)}/${[bucket, prefix, key].filter((part) => part !== '').join('/')}`
}

/** Refuses keys that could leave the location or that servers treat apart. */
export const checkKey = (key: string): string => {
  const isWrong =
    Buffer.byteLength(key) > 1024 || key.split('/').some((part) => part === '' || part === '.' || part === '..')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (!isWrong && !/[\x00-\x1f\x7f\\]/.test(key)) return key
  throw new ZosError('OBJECT_KEY', `${JSON.stringify(key.slice(0, 200))} is no key of an object`, {
    hint: 'expected a relative path without "..", at most 1,024 bytes',
  })
}
