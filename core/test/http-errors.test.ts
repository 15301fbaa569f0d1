import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ZosError } from '../dist/error.js'
import { transportFailure } from '../dist/io/http-failure.js'
import { createLimiter } from '../dist/io/http-limit.js'
import { proxySettings } from '../dist/io/http-proxy.js'
import { backoff, defaultRetry, retryAfter } from '../dist/io/retry.js'
import { bench, content, serve, serveFile, sha256 } from './http-server.js'

const data = content(50_000)
const good = { sha256: sha256(data), size: data.length, maxSize: 1_000_000 }

const failure = async (promise: Promise<unknown>): Promise<ZosError> => {
  try {
    await promise
  } catch (error) {
    return error as ZosError
  }
  throw new Error('it did not fail')
}

test('404 goes to the next mirror at once, and is told apart when all say so', async () => {
  const gone = await serve((_, response) => response.writeHead(404).end())
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, take, close } = await bench()
  assert.ok((await http.download({ urls: [`${gone.url}/a`, `${server.url}/a`], ...good }, take)).equals(data))
  assert.is(gone.seen.length, 1)
  const error = await failure(http.download({ urls: [`${gone.url}/p/a.deb`, `${gone.url}/q/a.deb`], ...good }, take))
  assert.is(error.code, 'FETCH_HTTP')
  assert.is(error.exit, 5)
  assert.is(error.data.status, 404)
  assert.is(error.place.subject, 'a.deb')
  assert.is(
    error.message,
    `none of 2 mirrors gave it\n${gone.url}/p/a.deb: answered 404 (not found)\n${gone.url}/q/a.deb: answered 404 (not found)`,
  )
  await close()
  await Promise.all([gone.close(), server.close()])
})

test('500 and 429 are tried again, with the wait the server asks for', async () => {
  const server = await serve((request, response, count) => {
    if (count === 1) response.writeHead(500).end('sorry')
    else if (count === 2) response.writeHead(429, { 'retry-after': '1' }).end()
    else serveFile(request, response, data)
  })
  const { http, take, close } = await bench({ retry: { tries: 3, firstWait: 5, longestWait: 400 } })
  const start = performance.now()
  assert.ok((await http.download({ urls: [`${server.url}/a`], ...good }, take)).equals(data))
  assert.is(server.seen.length, 3)
  const took = performance.now() - start
  assert.ok(took >= 390 && took < 3000, `took ${took} ms`)
  await close()
  await server.close()
})

test('a server that stays busy fails after its tries', async () => {
  const server = await serve((_, response) => response.writeHead(503).end())
  const { http, take, close } = await bench()
  const error = await failure(http.download({ urls: [`${server.url}/a`], ...good }, take))
  assert.match(error.message, /\/a: answered 503 \(3 tries, \d+\.\d s\)/)
  assert.is(server.seen.length, 3)
  await close()
  await server.close()
})

test('a host that refuses connections is named, with tries and time', async () => {
  const { http, take, close } = await bench()
  const probe = await serve(() => {})
  await probe.close()
  const error = await failure(http.download({ urls: [`${probe.url}/a?token=geheim`], ...good }, take))
  assert.match(error.message, /^127\.0\.0\.1:\d+ could not be reached: connection refused \(3 tries, \d+\.\d s\)$/)
  assert.match(error.hint.join(), 'https_proxy')
  assert.is.not(error.data.status, 404)
  await close()
})

test('credentials are used, stay with their host, and are never shown', async () => {
  const other = await serve((_, response) => response.writeHead(403).end())
  const server = await serve((request, response) => {
    assert.is(request.headers.authorization, `Basic ${Buffer.from('me@home:pass word').toString('base64')}`)
    response
      .writeHead(302, { location: request.url === '/here' ? '/there' : `${other.url}/x?X-Amz-Signature=geheim` })
      .end()
  })
  const { http, take, close } = await bench()
  const url = new URL(`${server.url}/here?sig=geheim`)
  url.username = 'me@home'
  url.password = 'pass word'
  url.search = ''
  const error = await failure(http.download({ urls: [url.href], ...good }, take))
  assert.is(server.seen.length, 2)
  assert.is(other.headers[0]?.authorization, undefined)
  const shown = JSON.stringify([error.message, error.hint, error.data, error.place])
  for (const secret of ['geheim', 'pass', 'me%40home', 'me@home']) assert.not.match(shown, secret)
  await close()
  await Promise.all([other.close(), server.close()])
})

test('redirect loops end, and redirects to other schemes are refused', async () => {
  const server = await serve((request, response) =>
    response.writeHead(301, { location: request.url === '/file' ? 'file:///etc/passwd' : '/again' }).end(),
  )
  const { http, take, close } = await bench()
  const loop = await failure(http.download({ urls: [`${server.url}/again`], ...good }, take))
  assert.match(loop.message, 'more than 10 redirects')
  assert.is(server.seen.length, 11)
  const file = await failure(http.download({ urls: [`${server.url}/file`], ...good }, take))
  assert.match(file.message, 'a redirect to a file: address')
  await close()
  await server.close()
})

test('a stalled connection is cut, and continued', async () => {
  const server = await serve((request, response, count) => {
    if (count > 1) return serveFile(request, response, data)
    response.writeHead(200, { 'content-length': data.length }).write(data.subarray(0, 20_000))
  })
  const { http, take, close } = await bench({ timeouts: { connect: 2000, idle: 1000 } })
  assert.ok((await http.download({ urls: [`${server.url}/a`], ...good }, take)).equals(data))
  assert.is(server.seen[1], 'GET /a bytes=20000-')
  await close()
  await server.close()
})

test('a server that never answers is given up', async () => {
  const server = await serve(() => {})
  const { http, take, close } = await bench({
    timeouts: { connect: 2000, idle: 1000 },
    retry: { tries: 1, firstWait: 1, longestWait: 1 },
  })
  const error = await failure(http.download({ urls: [`${server.url}/a`], ...good }, take))
  assert.match(error.message, 'could not be reached: no answer in time')
  await close()
  await server.close()
})

test('a small file, with its entity tag', async () => {
  const server = await serve((request, response) => {
    if (request.headers['if-none-match'] === '"v1"') return response.writeHead(304).end()
    if (request.url === '/binary') return response.end(Buffer.from([0xff, 0xfe]))
    return response.writeHead(200, { etag: '"v1"' }).end('Paket: ä\n')
  })
  const { http, close } = await bench()
  assert.equal(await http.fetchText(`${server.url}/Release`, { maxSize: 100 }), { content: 'Paket: ä\n', etag: '"v1"' })
  assert.equal(await http.fetchText(`${server.url}/Release`, { maxSize: 100, etag: '"v1"' }), {
    content: undefined,
    etag: '"v1"',
  })
  assert.is((await failure(http.fetchText(`${server.url}/binary`, { maxSize: 100 }))).code, 'FETCH_TEXT')
  assert.is((await failure(http.fetchText('file:///etc/passwd', { maxSize: 100 }))).code, 'FETCH_URL')
  await close()
  await server.close()
})

test('a proxy is used for whole requests and tunnels, but not for hosts it is not wanted for', async () => {
  const server = await serve((request, response) => serveFile(request, response, data))
  const seen: string[] = []
  const proxy = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization']}`)
    request.pipe(
      httpRequest(request.url as string, { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers)
        answer.pipe(response)
      }),
    )
  })
  proxy.on('connect', (request, socket) => {
    seen.push(`${request.method} ${request.url}`)
    const [host, port] = (request.url as string).split(':')
    const through = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(through).pipe(socket)
    })
    for (const end of [socket, through]) end.on('error', () => end.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const retry = { tries: 1, firstWait: 1, longestWait: 1 }
  const env = { HTTP_PROXY: `http://us%40er:geheim@${address}`, https_proxy: address }
  const { http, again, take, close } = await bench({ env, retry })

  assert.ok((await http.download({ urls: [`${server.url}/a`], ...good }, take)).equals(data))
  assert.equal(seen, [`GET ${server.url}/a Basic ${Buffer.from('us@er:geheim').toString('base64')}`])
  // The test's server speaks no TLS, so the handshake inside the tunnel fails; that it got there is what counts.
  const https = await failure(http.fetchBytes(`${server.url.replace('http:', 'https:')}/b`, { maxSize: 10 }))
  assert.is(https.code, 'FETCH_HTTP')
  assert.is(seen[1], `CONNECT ${server.url.slice('http://'.length)}`)

  const direct = again({ env: { ...env, no_proxy: 'example.org,127.0.0.1' } })
  assert.ok((await direct.download({ urls: [`${server.url}/a`], ...good }, take)).equals(data))
  assert.is(seen.length, 2)
  await close()
  await server.close()
  await new Promise<void>((resolve) => {
    proxy.close(() => resolve())
    proxy.closeAllConnections()
  })
})

test('a proxy that is no address is named with its variable', () => {
  assert.equal(proxySettings({ http_proxy: 'proxy:3128', HTTP_PROXY: 'http://no', NO_PROXY: '*' }), {
    http: 'http://proxy:3128',
    https: '',
    none: '*',
  })
  assert.throws(() => proxySettings({ https_proxy: 'ftp://me:geheim@proxy' }), /^https_proxy is 'ftp:\/\/•••@proxy'/)
})

test('no more than so many run at once, in all and for a host', async () => {
  const limiter = createLimiter({ total: 3, perHost: 2 })
  const running = new Map<string, number>()
  let most = 0
  let mostOfA = 0
  const work = (host: string) =>
    limiter.run(host, undefined, async () => {
      running.set(host, (running.get(host) ?? 0) + 1)
      most = Math.max(
        most,
        [...running.values()].reduce((sum, count) => sum + count),
      )
      mostOfA = Math.max(mostOfA, running.get('a') ?? 0)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running.set(host, (running.get(host) ?? 0) - 1)
    })
  await Promise.all([...'aaaaabbbaa'].map(work))
  assert.is(most, 3)
  assert.is(mostOfA, 2)
  const controller = new AbortController()
  const blockers = [...'abc'].map((host) =>
    limiter.run(host, undefined, () => new Promise((end) => setTimeout(end, 20))),
  )
  const waiting = failure(limiter.run('a', controller.signal, async () => {}))
  controller.abort(new Error('stop'))
  assert.is((await waiting).message, 'stop')
  await Promise.all(blockers)
})

test('waits grow, stay bounded, and vary', () => {
  assert.equal(
    [1, 2, 3, 9].map((failed) => backoff(failed, defaultRetry, () => 0)),
    [1000, 3000, 9000, 30_000],
  )
  assert.is(
    backoff(1, defaultRetry, () => 1),
    750,
  )
  assert.is(
    backoff(1, defaultRetry, () => 1, 5000),
    5000,
  )
  assert.is(
    backoff(1, defaultRetry, () => 1, 10_000_000),
    30_000,
  )
  assert.is(retryAfter('7', 0), 7000)
  assert.is(retryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 2000), 7000)
  assert.is(retryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 20_000), 0)
  assert.is(retryAfter('soon', 0), 0)
})

test('errors of the connection become reasons', () => {
  const of = (code: string) => {
    const { kind, message } = transportFailure(Object.assign(new Error('x'), { code }))
    return `${kind}: ${message}`
  }
  assert.is(of('ENOTFOUND'), 'network: name does not resolve')
  assert.is(of('ECONNRESET'), 'cut: connection was cut')
  assert.is(of('SELF_SIGNED_CERT_IN_CHAIN'), 'certificate: its certificate is not trusted (SELF_SIGNED_CERT_IN_CHAIN)')
  assert.is(of('HPE_INVALID_CONSTANT'), 'cut: the answer is not valid HTTP (HPE_INVALID_CONSTANT)')
  const both = new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })])
  assert.is(transportFailure(both).message, 'connection refused')
})

test.run()
