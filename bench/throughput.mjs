// What the store and a download reach, against the limits of this machine: a plain write of the disk, SHA-256 alone, and
// plain HTTP from the same server. Run after a build: node bench/throughput.mjs [MEGABYTES]. Each is the best of three, in turn.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHttp } from '../core/dist/io/http.js'
import { Store } from '../core/dist/store/store.js'

const megabytes = Number(process.argv[2] ?? 256)
const chunk = Buffer.alloc(1 << 20)
for (let at = 0; at < chunk.length; at += 4) chunk.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at)
/** Content that differs from round to round, so that the store has to take it. */
function* chunks(round) {
  for (let index = 0; index < megabytes; index++) {
    chunk.writeUInt32LE(round * 1_000_000 + index, 0)
    yield chunk
  }
}

if (process.argv[3] === 'serve') {
  const server = createServer(({ url = '/0' }, response) => {
    response.writeHead(200, { 'content-length': megabytes << 20 })
    const source = chunks(Number(url.slice(1)))
    const more = () => {
      for (let { value, done } = source.next(); !done; { value, done } = source.next())
        if (!response.write(Buffer.from(value))) return void response.once('drain', more)
      response.end()
    }
    more()
  })
  server.listen(0, '127.0.0.1', () => process.send(server.address().port))
  await new Promise(() => undefined)
}

const folder = mkdtempSync(join(tmpdir(), 'zos-throughput-'))
const store = Store.open(folder, Date.now)
// The server is a process of its own: in this one it would take the time that is measured.
const server = fork(fileURLToPath(import.meta.url), [String(megabytes), 'serve'])
const port = await new Promise((resolve) => server.once('message', resolve))
const http = createHttp({ folder: store.partialFolder, env: {} })

const tasks = {
  'SHA-256 alone': (round) => {
    const hash = createHash('sha256')
    for (const bytes of chunks(round)) hash.update(bytes)
    hash.digest()
  },
  'plain write of a file': (round) => {
    const file = openSync(join(folder, 'plain'), 'w')
    for (const bytes of chunks(round)) writeSync(file, bytes)
    closeSync(file)
  },
  'plain HTTP, thrown away': (round) =>
    new Promise((resolve, reject) => {
      get(`http://127.0.0.1:${port}/${round}`, (answer) => answer.on('end', resolve).resume()).on('error', reject)
    }),
  'store: put a stream': async (round) => {
    blob = await store.blobs.put(chunks(round + 100))
  },
  'store: read it, digest checked': async () => {
    for await (const _ of store.blobs.stream(blob));
  },
  'store: copy it, digest checked': () => store.blobs.copyTo(blob, join(folder, `copy-${Math.random()}`), 0o644),
  'fetch over HTTP into the store': async (round) => {
    const url = `http://127.0.0.1:${port}/${round + 200}`
    await http.download({ urls: [url], maxSize: 2 ** 40 }, ({ path, sha256, size }) =>
      store.blobs.adopt(path, { sha256, size }),
    )
  },
}
let blob
const best = Object.fromEntries(Object.keys(tasks).map((name) => [name, Number.POSITIVE_INFINITY]))
for (let round = 0; round < 3; round++)
  for (const [name, task] of Object.entries(tasks)) {
    const start = performance.now()
    await task(round)
    best[name] = Math.min(best[name], (performance.now() - start) / 1000)
  }
await http.close()
server.kill()
store.close()
rmSync(folder, { recursive: true, force: true })

const hash = best['SHA-256 alone']
const limits = {
  'store: put a stream': hash + best['plain write of a file'],
  'store: read it, digest checked': hash,
  'store: copy it, digest checked': hash,
  'fetch over HTTP into the store': best['plain HTTP, thrown away'] + hash + best['plain write of a file'],
}
console.log(`| ${megabytes} MiB at once | MB/s | of the limit |`)
console.log('|---|---|---|')
for (const [name, seconds] of Object.entries(best)) {
  const limit = limits[name]
  const shown = limit === undefined ? 'a limit' : `${((100 * limit) / seconds).toFixed(0)} %`
  console.log(`| ${name} | ${((megabytes * 1.048576) / seconds).toFixed(0)} | ${shown} |`)
}
