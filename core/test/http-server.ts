import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHttp, type Download, type Http, type HttpOptions } from '../dist/io/http.js'

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void

export interface TestServer {
  readonly url: string
  /** `METHOD PATH [range]` of every request so far. */
  readonly seen: string[]
  readonly headers: IncomingMessage['headers'][]
  readonly server: Server
  close(): Promise<void>
}

/** Serves on 127.0.0.1; `count` is 1 for the first request. */
export const serve = async (handler: Handler): Promise<TestServer> => {
  const seen: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    seen.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '))
    headers.push(request.headers)
    handler(request, response, seen.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    headers,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')

/** Bytes that differ all along, so that a wrong join is seen. */
export const content = (size: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(size)
  let state = seed
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 16
  }
  return bytes
}

/** Answers ranges as a real file server does; sends at most `cut` bytes of an answer and then drops the connection. */
export const serveFile = (
  request: IncomingMessage,
  response: ServerResponse,
  data: Buffer,
  { etag, cut }: { etag?: string; cut?: number } = {},
): void => {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  const condition = request.headers['if-range']
  const ranged = range !== null && (condition === undefined || condition === etag)
  const first = ranged ? Number(range[1]) : 0
  if (ranged && first >= data.length) {
    response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end()
    return
  }
  const part = data.subarray(first)
  response.writeHead(ranged ? 206 : 200, {
    'content-length': part.length,
    ...(ranged && { 'content-range': `bytes ${first}-${data.length - 1}/${data.length}` }),
    ...(etag !== undefined && { etag }),
  })
  if (cut === undefined || cut >= part.length) {
    response.end(part)
    return
  }
  response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 30))
}

export interface Bench {
  readonly folder: string
  readonly http: Http
  /** Takes a download as a store would: moves it away, and gives its bytes. */
  take(file: Download): Promise<Buffer>
  partials(): Promise<string[]>
  /** Another client on the same folder, as a later run is. */
  again(options?: Partial<HttpOptions>): Http
  close(): Promise<void>
}

const fast = { tries: 3, firstWait: 5, longestWait: 50 }

export const bench = async (options: Partial<HttpOptions> = {}): Promise<Bench> => {
  const folder = await mkdtemp(join(tmpdir(), 'zos-http-'))
  const clients: Http[] = []
  const again = (more: Partial<HttpOptions> = {}): Http => {
    const client = createHttp({ folder: join(folder, 'partial'), env: {}, retry: fast, ...options, ...more })
    clients.push(client)
    return client
  }
  return {
    folder,
    http: again(),
    again,
    async take(file) {
      const path = join(folder, 'taken')
      await rename(file.path, path)
      return await readFile(path)
    },
    partials: () => readdir(join(folder, 'partial')),
    async close() {
      await Promise.all(clients.map((client) => client.close()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
