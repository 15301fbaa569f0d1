import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Mirror {
  readonly url: string
  /** Paths of every request so far, with the status that it got. */
  readonly seen: string[]
  close(): Promise<void>
}

/** Serves files by path on 127.0.0.1 as mirrors do, with entity tags. `files` may change. */
export const serveFiles = async (files: Map<string, Uint8Array>): Promise<Mirror> => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    const bytes = files.get(path)
    const etag = bytes && `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`
    const status = !bytes ? 404 : request.headers['if-none-match'] === etag ? 304 : 200
    seen.push(`${path} ${status}`)
    response.writeHead(status, etag ? { etag } : {})
    response.end(status === 200 ? bytes : undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Files of a repository: packages and their signed index. */
export const repositoryFiles = (
  place: string,
  packages: ReadonlyMap<string, Uint8Array>,
  index: Uint8Array,
  arch = 'x86_64',
): Map<string, Uint8Array> =>
  new Map([
    ...[...packages].map(([file, bytes]): [string, Uint8Array] => [`/${place}/${arch}/${file}`, bytes]),
    [`/${place}/${arch}/APKINDEX.tar.gz`, index],
  ])
