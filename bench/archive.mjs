// Time for 50,000 records through tar and cpio, blobs in memory. Run after `npm run build`: node bench/archive.mjs
import { createHash } from 'node:crypto'
import { cpioPlan, writeCpio } from '../core/dist/format/cpio.js'
import { readCpioTree } from '../core/dist/format/cpio-read.js'
import { readTarTree } from '../core/dist/format/tar-tree.js'
import { writeTar } from '../core/dist/format/tar-write.js'

const count = 50_000
const epoch = 1_700_000_000

const contents = new Map()
const blobs = {
  async put(content) {
    const sha256 = createHash('sha256').update(content).digest('hex')
    contents.set(sha256, content)
    return { sha256, size: content.length }
  },
  read: async (blob) => contents.get(blob.sha256),
  async *stream(blob) {
    yield contents.get(blob.sha256)
  },
}

/** One directory for 50 records, every tenth a link, files of 0 to 8 KiB. */
const records = []
for (let i = 0; i < count; i++) {
  const directory = `/usr/lib/d${Math.floor(i / 50)}`
  const attributes = { mode: 0o755, uid: 0, gid: 0 }
  if (i === 0) for (const path of ['/usr', '/usr/lib']) records.push({ path, kind: 'directory', ...attributes })
  if (i % 50 === 0) records.push({ path: directory, kind: 'directory', ...attributes })
  else if (i % 10 === 1) records.push({ path: `${directory}/l${i}`, kind: 'symlink', ...attributes, target: `f${i}` })
  else {
    const blob = await blobs.put(Buffer.alloc((i * 7919) % 8192, `${i} `))
    records.push({ path: `${directory}/file-${i}.so`, kind: 'file', ...attributes, blob })
  }
}

const measure = async (what, task) => {
  const start = process.hrtime.bigint()
  const { size, result } = await task()
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  const amount = size === undefined ? '' : `  ${(size / 1e6).toFixed(0)} MB, ${(size / 1e6 / seconds).toFixed(0)} MB/s`
  console.log(`${what.padEnd(28)} ${seconds.toFixed(3)} s${amount}`)
  return result
}

const written = (chunks) => async () => {
  const result = []
  let size = 0
  for await (const bytes of chunks()) {
    result.push(bytes)
    size += bytes.length
  }
  return { size, result }
}

async function* stream(chunks) {
  yield* chunks
}

console.log(`${records.length} records, node ${process.version}`)
const tar = await measure(
  'tar write',
  written(() => writeTar(records, blobs, { epoch })),
)
const size = tar.reduce((sum, bytes) => sum + bytes.length, 0)
await measure('tar read, blobs put', async () => ({ size, result: await readTarTree(stream(tar), blobs) }))
await measure('cpio plan', async () => ({ size: undefined, result: cpioPlan(records, { epoch }) }))
const cpio = await measure(
  'cpio write',
  written(() => writeCpio(records, blobs, { epoch })),
)
await measure('cpio read, digests', async () => ({
  size: cpio.reduce((sum, bytes) => sum + bytes.length, 0),
  result: await readCpioTree(stream(cpio)),
}))
