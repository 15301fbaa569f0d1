// A sparse registry of one crate in a thread of its own, since cargo is waited for. While its folder has a file `cut`, a
// download of the crate ends in the middle.
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { sha256 } from '@zos/core'

const folder = workerData as string
const crate = readFileSync(join(folder, 'omega.crate'))
const entry = { name: 'omega', vers: '0.1.0', deps: [], cksum: sha256(crate), features: {}, yanked: false }

const download = (response: ServerResponse): void => {
  if (!existsSync(join(folder, 'cut'))) return void response.end(crate)
  response.writeHead(200, { 'content-length': crate.length })
  response.write(crate.subarray(0, crate.length >> 1), () => response.destroy())
}

const server = createServer(({ url }, response) => {
  if (url === '/config.json') response.end(JSON.stringify({ dl: `${address()}/dl` }))
  else if (url === '/om/eg/omega') response.end(`${JSON.stringify(entry)}\n`)
  else if (url === '/dl/omega/0.1.0/download') download(response)
  else response.writeHead(404).end()
})
const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
server.listen(0, '127.0.0.1', () => parentPort!.postMessage(`sparse+${address()}/`))
