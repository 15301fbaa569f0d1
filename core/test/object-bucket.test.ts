// The S3 client against a server that answers as it is told: what is tried again, what is not, and in which words.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError, type ZosError } from '../dist/error.js'
import { openBucket } from '../dist/io/object-bucket.js'
import type { ObjectStore } from '../dist/model/object-store.js'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const keys = { accessKey: 'AKIDEXAMPLE', secretKey: 'wJalrXUtnFEMIK7MDENG' }

/** Gives each request to the next answer, the last one again and again. */
const serve = async (
  answers: readonly Answer[],
  work: (store: ObjectStore, seen: IncomingMessage[]) => Promise<void>,
): Promise<void> => {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)]!
    seen.push(request)
    request.resume()
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const location = {
    kind: 's3',
    tls: false,
    host: '127.0.0.1',
    port,
    bucket: 'bucket',
    prefix: 'p',
    region: 'here',
  } as const
  const store = openBucket({ ...location, ...keys }, new AbortController().signal, {
    retry: { tries: 3, firstWait: 1, longestWait: 5 },
    stall: 300,
  })
  try {
    await work(store, seen)
  } finally {
    store.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const fault =
  (status: number, code?: string): Answer =>
  (_, response) => {
    response.writeHead(status)
    response.end(code && `<?xml version="1.0"?><Error><Code>${code}</Code><Message>words</Message></Error>`)
  }

const errorOf = async (work: Promise<unknown>): Promise<ZosError> => {
  try {
    await work
  } catch (error) {
    assert.ok(isZosError(error), String(error))
    const said = `${error.message}\n${error.hint.join('\n')}\n${JSON.stringify(error.data)}`
    for (const key of Object.values(keys)) assert.not.ok(said.includes(key), said)
    return error
  }
  return assert.unreachable('expected an error') as never
}

const textOf = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
  const found: Uint8Array[] = []
  for await (const chunk of chunks) found.push(chunk)
  return Buffer.concat(found).toString()
}

test('every failure has its own code, and names the address', async () => {
  const table: readonly [Answer, string, number][] = [
    [fault(403, 'AccessDenied'), 'OBJECTS_DENIED', 1],
    [fault(403, 'InvalidAccessKeyId'), 'OBJECTS_CREDENTIALS', 1],
    [fault(403, 'SignatureDoesNotMatch'), 'OBJECTS_CREDENTIALS', 1],
    [fault(403, 'RequestTimeTooSkewed'), 'OBJECTS_CLOCK', 1],
    [fault(404, 'NoSuchBucket'), 'OBJECTS_BUCKET', 1],
    [fault(400, 'AuthorizationHeaderMalformed'), 'OBJECTS_REGION', 1],
    [fault(507, 'XMinioStorageFull'), 'OBJECTS_FULL', 1],
    [fault(412, 'PreconditionFailed'), 'OBJECT_CHANGED', 1],
    [fault(400, 'MalformedXML'), 'OBJECTS_SERVER', 1],
    [fault(500, 'InternalError'), 'OBJECTS_SERVER', 3],
    [fault(503, 'SlowDown'), 'OBJECTS_SERVER', 3],
    [(request) => request.socket.destroy(), 'OBJECTS_UNREACHABLE', 3],
    // Silence.
    [() => undefined, 'OBJECTS_UNREACHABLE', 3],
  ]
  for (const [answer, code, tries] of table)
    await serve([answer], async (store, seen) => {
      const error = await errorOf(store.put('a/b', 'content'))
      assert.is(error.code, code, error.message)
      assert.match(error.message, /^s3:\/\/127\.0\.0\.1:\d+\/bucket\/p\/a\/b: /)
      assert.ok(error.hint.length > 0)
      assert.is(seen.length, tries, code)
    })
})

test('a busy server is asked again, with the whole content', async () => {
  const content = 'x'.repeat(100_000)
  const reader = {
    read: async () => new Uint8Array(),
    async *stream() {
      for (let at = 0; at < content.length; at += 1000) yield Buffer.from(content.slice(at, at + 1000))
    },
  }
  const lengths: number[] = []
  const measured =
    (status: number): Answer =>
    (request, response) => {
      let length = 0
      request.on('data', (chunk: Buffer) => {
        length += chunk.length
      })
      request.on('end', () => {
        lengths.push(length)
        response.writeHead(status, { etag: '"e1"' }).end()
      })
    }
  await serve([measured(503), measured(200)], async (store, seen) => {
    const blob = { sha256: 'ab'.repeat(32), size: content.length }
    assert.equal(await store.put('k', { blob, reader }, { ifAbsent: true }), { etag: 'e1' })
    assert.equal(lengths, [100_000, 100_000])
    assert.is(seen[1]!.headers['if-none-match'], '*')
    assert.is(seen[1]!.headers['x-amz-content-sha256'], blob.sha256)
    assert.is(seen[1]!.url, '/bucket/p/k')
    assert.match(String(seen[1]!.headers.authorization), /Credential=AKIDEXAMPLE\/\d+\/here\/s3/)
  })
})

test('a download that is cut goes on where it was, if the object is still the same', async () => {
  const cut: Answer = (_, response) => {
    response.writeHead(200, { 'content-length': '10', etag: '"e1"' })
    response.write('01234', () => response.destroy())
  }
  const rest: Answer = (_, response) => {
    response.writeHead(206, { 'content-length': '5', etag: '"e1"' }).end('56789')
  }
  await serve([cut, rest], async (store, seen) => {
    assert.is(await textOf(store.get('k', { limit: 10 })), '0123456789')
    assert.is(seen[1]!.headers.range, 'bytes=5-')
    assert.is(seen[1]!.headers['if-match'], '"e1"')
  })
  await serve([cut, fault(412, 'PreconditionFailed')], async (store) => {
    assert.is((await errorOf(textOf(store.get('k', { limit: 10 })))).code, 'OBJECT_CHANGED')
  })
  await serve([rest], async (store) => {
    assert.is((await errorOf(textOf(store.get('k', { limit: 4 })))).code, 'OBJECT_SIZE')
    assert.is((await errorOf(store.read('k', { limit: 4 }))).code, 'OBJECT_SIZE')
  })
})

test('a bucket that no server can have is refused before anything is asked', () => {
  const location = { kind: 's3', tls: false, host: 'h', port: 1, prefix: '', region: 'r' } as const
  for (const bucket of ['', 'ab', 'Upper', 'a/b', 'a b'])
    assert.throws(
      () => openBucket({ ...location, bucket }, new AbortController().signal),
      (error: unknown) => isZosError(error) && error.code === 'OBJECTS_URL',
      bucket,
    )
})

test('what is not there is no error for those who only ask', async () => {
  await serve([fault(404)], async (store) => {
    assert.is(await store.head('k'), undefined)
    assert.is(await store.read('k', { limit: 1 }), undefined)
    await store.remove('k')
    assert.is((await errorOf(textOf(store.get('k', { limit: 1 })))).code, 'OBJECT_MISSING')
  })
})

test('connections are used again, also after answers that have no body', async () => {
  const answer: Answer = (_, response) => response.writeHead(200, { 'content-length': 7, etag: '"e"' }).end()
  await serve([answer], async (store, seen) => {
    for (let at = 0; at < 12; at++) assert.is((await store.head(`k${at}`))?.size, 7)
    const connections = new Set(seen.map(({ socket }) => socket.remotePort)).size
    assert.ok(connections < 4, `${connections} connections for 12 requests`)
  })
})

test.run()
