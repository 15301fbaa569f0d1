import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ZosError } from '../dist/error.js'
import { bench, content, serve, serveFile, sha256 } from './http-server.js'

const data = content(300_000)
const good = { sha256: sha256(data), size: data.length, maxSize: 1_000_000 }

const failure = async (promise: Promise<unknown>): Promise<ZosError> => {
  try {
    await promise
  } catch (error) {
    return error as ZosError
  }
  throw new Error('it did not fail')
}

test('a file is taken when size and digest are right', async () => {
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, take, partials, close } = await bench()
  const progress: number[] = []
  const bytes = await http.download({ urls: [`${server.url}/a.tar`], ...good }, take, {
    onProgress: (count, total) => {
      progress.push(count)
      assert.is(total, data.length)
    },
  })
  assert.ok(bytes.equals(data))
  assert.is(progress.at(-1), data.length)
  assert.equal(await partials(), [])
  assert.is(server.headers[0]?.['accept-encoding'], 'identity')
  await close()
  await server.close()
})

test('without a digest the digest of what came is told', async () => {
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, close } = await bench()
  const file = await http.download({ urls: [`${server.url}/a`], maxSize: 1_000_000 }, async (file) => file)
  assert.is(file.sha256, good.sha256)
  assert.is(file.size, data.length)
  await close()
  await server.close()
})

test('an answer of HTTP/1.0, whose end is the end of the connection', async () => {
  const large = randomBytes(4 << 20)
  const old = createServer((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.0 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`)
      socket.end(large)
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve))
  const { port } = old.address() as AddressInfo
  const { http, take, close } = await bench()
  for (let round = 0; round < 4; round++) {
    const urls = [`http://127.0.0.1:${port}/${round}`]
    const sizes = await Promise.all([0, 1, 2].map(() => http.download({ urls, maxSize: large.length }, take)))
    assert.ok(sizes.every((bytes) => bytes.equals(large)))
  }
  await close()
  old.close()
})

test('a cut connection is continued where it was cut', async () => {
  const server = await serve((request, response, count) =>
    serveFile(request, response, data, count < 5 ? { cut: 65_536 } : {}),
  )
  const { http, take, close } = await bench()
  const bytes = await http.download({ urls: [`${server.url}/a`], ...good }, take)
  assert.ok(bytes.equals(data))
  // How much of a cut answer arrives is the network's business; each request starts where the last one got to.
  assert.is(server.seen.length, 5)
  assert.is(server.seen[0], 'GET /a')
  const starts = server.seen.slice(1).map((line) => Number(/^GET \/a bytes=(\d+)-$/.exec(line)?.[1]))
  starts.forEach((start, index) => {
    assert.ok(
      start > (starts[index - 1] ?? 0) && start <= 65_536 * (index + 1),
      `request ${index + 1} starts at ${start}`,
    )
  })
  await close()
  await server.close()
})

test('a later run continues what an earlier one left, also at another mirror', async () => {
  const first = await serve((request, response, count) =>
    count === 1 ? serveFile(request, response, data, { cut: 100_000 }) : response.writeHead(503).end(),
  )
  const second = await serve((request, response) => serveFile(request, response, data))
  const { http, again, take, partials, close } = await bench()
  const error = await failure(http.download({ urls: [`${first.url}/a`], ...good }, take))
  assert.is(error.code, 'FETCH_HTTP')
  assert.equal(await partials(), [`${good.sha256}.-.part`])
  const bytes = await again().download({ urls: [`${second.url}/b`], ...good }, take)
  assert.ok(bytes.equals(data))
  assert.equal(second.seen, ['GET /b bytes=100000-'])
  await close()
  await Promise.all([first.close(), second.close()])
})

test('a part of another file is noticed, and the whole is fetched again', async () => {
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, again, folder, take, close } = await bench()
  await http.download({ urls: [`${server.url}/x`], maxSize: 1_000_000 }, async () => {})
  await writeFile(join(folder, 'partial', `${good.sha256}.-.part`), content(1000, 7))
  const bytes = await again().download({ urls: [`${server.url}/a`], ...good }, take)
  assert.ok(bytes.equals(data))
  assert.equal(server.seen, ['GET /x', 'GET /a bytes=1000-', 'GET /a'])
  await close()
  await server.close()
})

test('what a killed process left is taken over, what a living one works on is not', async () => {
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, again, folder, take, partials, close } = await bench()
  await http.download({ urls: [`${server.url}/x`], maxSize: 1_000_000 }, async () => {})
  await writeFile(join(folder, 'partial', `${good.sha256}.-.${process.pid}:1-00.part`), data.subarray(0, 1000))
  const bytes = await again().download({ urls: [`${server.url}/a`], ...good }, take)
  assert.ok(bytes.equals(data))
  assert.equal(server.seen, ['GET /x', 'GET /a bytes=1000-'])
  assert.equal(await partials(), [])

  const both = await Promise.all(
    [http, again()].map((client) =>
      client.download({ urls: [`${server.url}/a`], ...good }, async ({ sha256 }) => sha256),
    ),
  )
  assert.equal(both, [good.sha256, good.sha256])
  assert.equal(await partials(), [])
  await close()
  await server.close()
})

test('without a digest only the same strong entity tag is continued', async () => {
  const other = content(300_000, 9)
  let current = data
  let etag = '"one"'
  const server = await serve((request, response, count) =>
    serveFile(request, response, current, { etag, ...(count % 2 === 1 && { cut: 50_000 }) }),
  )
  const { http, again, take, partials, close } = await bench({ retry: { tries: 1, firstWait: 1, longestWait: 1 } })
  const request = { urls: [`${server.url}/a`], maxSize: 1_000_000 }
  await failure(http.download(request, take))
  assert.is((await partials()).length, 1)
  assert.ok((await again().download(request, take)).equals(data))
  assert.is(server.headers[1]?.['if-range'], '"one"')

  await failure(http.download(request, take))
  current = other
  etag = '"two"'
  assert.ok((await again().download(request, take)).equals(other))

  etag = 'W/"weak"'
  await failure(http.download(request, take))
  assert.equal(await partials(), [])
  await close()
  await server.close()
})

test('a full part needs no request', async () => {
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, again, take, close } = await bench()
  const error = await failure(
    http.download({ urls: [`${server.url}/a`], ...good }, async () => {
      throw new Error('the store is full')
    }),
  )
  assert.is(error.message, 'the store is full')
  assert.ok((await again().download({ urls: [`${server.url}/a`], ...good }, take)).equals(data))
  assert.equal(server.seen, ['GET /a'])
  await close()
  await server.close()
})

test('a range beyond the end begins anew', async () => {
  const short = data.subarray(0, 1000)
  const request = { sha256: sha256(short), maxSize: 1_000_000 }
  const server = await serve((request, response) => serveFile(request, response, short))
  const { http, folder, take, close } = await bench()
  await http.download({ urls: [`${server.url}/x`], maxSize: 1_000_000 }, async () => {})
  await writeFile(join(folder, 'partial', `${request.sha256}.-.part`), data.subarray(0, 2000))
  assert.ok((await http.download({ urls: [`${server.url}/a`], ...request }, take)).equals(short))
  await close()
  await server.close()
})

test('a server that ignores ranges sends the whole again', async () => {
  const server = await serve((_, response, count) => {
    response.writeHead(200, { 'content-length': data.length })
    if (count > 1) response.end(data)
    else response.write(data.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 30))
  })
  const { http, take, close } = await bench()
  assert.ok((await http.download({ urls: [`${server.url}/a`], ...good }, take)).equals(data))
  assert.is(server.seen[1], 'GET /a bytes=70000-')
  await close()
  await server.close()
})

test('wrong content is left for the next mirror', async () => {
  const bad = await serve((request, response) => serveFile(request, response, content(300_000, 5)))
  const server = await serve((request, response) => serveFile(request, response, data))
  const { http, take, partials, close } = await bench()
  assert.ok((await http.download({ urls: [`${bad.url}/a`, `${server.url}/a`], ...good }, take)).equals(data))
  assert.equal(server.seen, ['GET /a'])
  assert.equal(bad.seen, ['GET /a'])

  const error = await failure(http.download({ urls: [`${bad.url}/a`], ...good }, take))
  assert.match(error.message, `expected ${good.sha256}`)
  assert.equal(await partials(), [])
  await close()
  await Promise.all([bad.close(), server.close()])
})

test('a mirror with another size is refused before its content comes', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 299_999 }).write(data.subarray(0, 10))
  })
  const { http, take, close } = await bench()
  const error = await failure(http.download({ urls: [`${server.url}/a`], ...good }, take))
  assert.match(error.message, 'has 299999 bytes, expected 300000')
  await close()
  await server.close()
})

test('a declared length that is not kept is an error', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': data.length + 10 })
    response.write(data, () => setTimeout(() => response.destroy(), 20))
  })
  const { http, take, close } = await bench()
  const error = await failure(http.download({ urls: [`${server.url}/a`], maxSize: 1_000_000 }, take))
  assert.match(error.message, /\/a: connection was cut \(3 tries, \d+\.\d s\)/)
  await close()
  await server.close()
})

test('no more than the limit is taken, declared or not', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/declared') return serveFile(request, response, data)
    response.writeHead(200)
    const more = () => response.write(data.subarray(0, 65_536), (error) => error || setImmediate(more))
    more()
  })
  const { http, take, close } = await bench()
  for (const path of ['declared', 'endless']) {
    const error = await failure(http.download({ urls: [`${server.url}/${path}`], maxSize: 250_000 }, take))
    assert.match(error.message, 'is larger than the limit of 250000 bytes')
    const inMemory = await failure(http.fetchBytes(`${server.url}/${path}`, { maxSize: 250_000 }))
    assert.match(inMemory.message, 'is larger than the limit of 250000 bytes')
  }
  await close()
  await server.close()
})

test('content is never decoded', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': data.length }).end(data)
  })
  const { http, take, close } = await bench()
  assert.ok((await http.download({ urls: [`${server.url}/a.gz`], ...good }, take)).equals(data))
  await close()
  await server.close()
})

test('an abort ends the download at once and keeps what came', async () => {
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': data.length }).write(data.subarray(0, 80_000))
  })
  const { http, take, partials, close } = await bench()
  const controller = new AbortController()
  const error = await failure(
    http.download({ urls: [`${server.url}/a`], ...good }, take, {
      signal: controller.signal,
      onProgress: (bytes) => bytes === 80_000 && controller.abort(new Error('Ctrl-C')),
    }),
  )
  assert.is(error.message, 'Ctrl-C')
  assert.equal(await partials(), [`${good.sha256}.-.part`])
  await close()
  await server.close()
})

test.run()
