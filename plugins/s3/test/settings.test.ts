// The classic file of keys, and what is made of it, of options and of variables.
import { isZosError, secret } from '@zos/core'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseRfsConf, rfsConfKeys } from '../dist/rfs-conf.js'
import { lookupOf, readRoute, subpathsOf, writeLocation } from '../dist/settings.js'

const errorOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    assert.ok(isZosError(error), String(error))
    return error
  }
  throw new Error('expected an error')
}

test('rfs.conf: quotes, comments and every key', () => {
  const text = `# keys
S3_ENDPOINT="http://localhost:9000"   # MinIO
export S3_BUCKET='zos store'
S3_PREFIX=
S3_SECRET_KEY="a\\"b\\\\c\\$d"
WEB_ENDPOINT=""
UPLOAD_KERNEL=true\r
`
  assert.equal(parseRfsConf(text, 'rfs.conf'), {
    ...{ S3_ENDPOINT: 'http://localhost:9000', S3_BUCKET: 'zos store', S3_PREFIX: '', S3_SECRET_KEY: 'a"b\\c$d' },
    ...{ WEB_ENDPOINT: '', UPLOAD_KERNEL: 'true' },
  })
  for (const key of rfsConfKeys) assert.equal(parseRfsConf(`${key}=x`, 'f'), { [key]: 'x' })
})

test('rfs.conf: what is wrong is told with file and line, and without values', () => {
  const table: readonly [string, RegExp][] = [
    ['S3_BUKET=hidden', /^rfs\.conf, line 2: unknown key S3_BUKET$/],
    ['S3_SECRET_KEY=$(cat hidden)', /line 2: the value of S3_SECRET_KEY is no plain text/],
    ['S3_SECRET_KEY="$hidden"', /no plain text/],
    ['S3_SECRET_KEY="hidden', /no plain text/],
    ['S3_SECRET_KEY=hidden; rm', /no plain text/],
    ['hidden', /line 2: this is no assignment/],
  ]
  for (const [line, words] of table) {
    const error = errorOf(() => parseRfsConf(`\n${line}\n`, 'rfs.conf'))
    assert.is(error.code, 'RFS_CONF')
    assert.match(error.message, words)
    assert.not.match(`${error.message}${error.hint}`, /hidden/)
  }
  assert.equal(errorOf(() => parseRfsConf('S3_BUKET=x', 'f')).hint, ['did you mean S3_BUCKET?'])
})

test('rfs.conf: whatever text comes, a value or an error comes out', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((value) => `S3_BUCKET=${value}`),
      ),
      (text) => {
        try {
          return typeof parseRfsConf(text, 'f') === 'object'
        } catch (error) {
          return isZosError(error)
        }
      },
    ),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (value) => {
      fc.pre(!value.includes("'"))
      return parseRfsConf(`S3_SECRET_KEY='${value}'`, 'f').S3_SECRET_KEY === value
    }),
  )
})

const conf = `S3_ENDPOINT=http://[::1]:9000
S3_BUCKET=images
S3_PREFIX=/pub/
S3_ACCESS_KEY=writer
S3_SECRET_KEY=wsecret
READ_ACCESS_KEY=reader
READ_SECRET_KEY=rsecret
`
const lookup = (env: Readonly<Record<string, string>> = {}, text: string | undefined = conf) =>
  lookupOf('rfs.conf', { text: async () => text, env: (name) => env[name] })
const opened = (): string => 'opened'

test('variables come before options, options before the file', async () => {
  const location = writeLocation({ bucket: 'option', prefix: 'p' }, await lookup({ S3_BUCKET: 'variable' }), opened)
  assert.equal(location, {
    ...{ kind: 's3', tls: false, host: '::1', port: 9000, bucket: 'variable', prefix: 'p', region: 'us-east-1' },
    ...{ accessKey: 'writer', secretKey: 'wsecret' },
  })
  const secrets = { accessKey: secret('A'), secretKey: secret('B') }
  assert.is(writeLocation(secrets, await lookup(), opened).secretKey, 'opened')
  assert.equal(subpathsOf({ kernels: '/a/b/' }, await lookup()), { kernels: 'a/b', manifests: 'manifests' })
})

test('what is missing is told at once, all of it', async () => {
  const error = errorOf(() => writeLocation({ bucket: 'b' }, (_key, option) => option, opened))
  assert.is(error.message, 'not set: S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY')
  const none = await lookupOf(undefined, { text: async () => conf, env: () => undefined })
  assert.is(errorOf(() => writeLocation({}, none, opened)).code, 'S3_SETTINGS')
  assert.is(errorOf(() => writeLocation({ endpoint: 'localhost:9000' }, none, opened)).code, 'S3_SETTINGS')
  const bad = await lookup({ S3_ENDPOINT: 'localhost:9000' })
  assert.is(errorOf(() => writeLocation({}, bad, opened)).code, 'S3_ENDPOINT')
})

test('the route has the read-only keys as they stand, or is refused', async () => {
  assert.is(readRoute({}, await lookup()), 's3://reader:rsecret@[::1]:9000/blobs?region=garage')
  const other = { ROUTE_ENDPOINT: 'https://cdn.example', ROUTE_PATH: 'images/pub', ROUTE_REGION: 'eu' }
  assert.is(readRoute({}, await lookup(other)), 's3s://reader:rsecret@cdn.example:443/images/pub?region=eu')
  const escaped = await lookup({ READ_SECRET_KEY: 'with/slash' })
  const error = errorOf(() => readRoute({}, escaped))
  assert.is(error.code, 'S3_READ_KEY')
  assert.not.match(error.message, /with\/slash/)
  const encoded = await lookup({ READ_SECRET_KEY: 'with=equals' })
  assert.is(errorOf(() => readRoute({}, encoded)).code, 'S3_READ_KEY')
})

test('folders below the prefix stay there', async () => {
  const found = subpathsOf({}, await lookup({ KERNEL_SUBPATH: '/a//b/', MANIFESTS_SUBPATH: '' }))
  assert.equal(found, { kernels: 'a/b', manifests: 'manifests' })
  const outside = await lookup({ KERNEL_SUBPATH: '../x' })
  assert.match(errorOf(() => subpathsOf({}, outside)).message, /KERNEL_SUBPATH=\.\.\/x/)
})

test.run()
