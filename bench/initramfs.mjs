// What compressing in blocks costs against one block, on some 60 MB of this machine's own files: size, and time of a
// first run and of one edit. Run after a build: node bench/initramfs.mjs [MEGABYTES]. Fails above 3 %.
import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packInitramfs } from '../core/dist/builtin/initramfs.js'
import { writePieces } from '../core/dist/format/archive-piece.js'
import { cpioPlan } from '../core/dist/format/cpio.js'
import { encodeXzBlock } from '../core/dist/format/xz-encode.js'
import { FileTree } from '../core/dist/model/tree.js'

const most = Number(process.argv[2] ?? 60) << 20
const limit = 0.03
const preset = 6
const epoch = 1_700_000_000

const places = new Map()
const made = new Map()
const blobs = {
  async put(content) {
    const parts = []
    if (content instanceof Uint8Array || typeof content === 'string') parts.push(Buffer.from(content))
    else for await (const chunk of content) parts.push(chunk)
    const bytes = Buffer.concat(parts)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    made.set(sha256, bytes)
    return { sha256, size: bytes.length }
  },
  read: async ({ sha256 }) => made.get(sha256) ?? readFileSync(places.get(sha256)),
  async *stream({ sha256 }) {
    if (made.has(sha256)) yield made.get(sha256)
    else yield* createReadStream(places.get(sha256))
  },
}

/** Files of a folder, each folder as a plugin of its own: groups are cut at their ends. */
const filesOf = (folder, bytes) => {
  const records = []
  let total = 0
  const visit = (path) => {
    for (const name of readdirSync(path).sort()) {
      const full = join(path, name)
      const found = lstatSync(full)
      if (found.isDirectory()) visit(full)
      if (!found.isFile() || found.size > 12 << 20 || total + found.size > bytes) continue
      total += found.size
      const content = readFileSync(full)
      const sha256 = createHash('sha256').update(content).digest('hex')
      places.set(sha256, full)
      const attributes = { mode: found.mode & 0o7777, uid: 0, gid: 0, origin: { plugin: folder } }
      records.push({ path: full, kind: 'file', ...attributes, blob: { sha256, size: content.length } })
    }
  }
  visit(folder)
  return records
}

const folders = ['/usr/bin', '/usr/lib', '/usr/share']
const records = folders.flatMap((folder) => filesOf(folder, most / folders.length))
const unit = { path: '/etc/unit', kind: 'file', mode: 0o644, uid: 0, gid: 0, origin: { plugin: 'units' } }
const treeWith = async (text) => FileTree.from([...records, { ...unit, blob: await blobs.put(text) }])

const memory = new Map()
const pack = async (tree) => {
  const start = performance.now()
  let said = ''
  const remember = (name, input, compute) => {
    const key = JSON.stringify([name, input])
    if (!memory.has(key)) memory.set(key, compute())
    return memory.get(key)
  }
  const explain = (text) => {
    said = text
  }
  const ctx = { epoch, blobs, root: { all: () => tree }, progress: () => undefined, explain, remember }
  const options = { compression: 'xz', level: preset, order: [...folders, 'units'] }
  const { blob, facts } = await packInitramfs({ name: 'initramfs', format: 'initramfs', options }, ctx)
  return { size: blob.size, plain: facts.plain, blocks: facts.blocks, said, ms: performance.now() - start }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`
const first = await pack(await treeWith('one'))
const edit = await pack(await treeWith('two'))
const pieces = cpioPlan([...(await treeWith('one')).records()], { epoch })
const start = performance.now()
const { bytes } = await encodeXzBlock({ size: first.plain, chunks: writePieces(pieces, blobs) }, { preset })
const cost = first.size / bytes.length - 1

console.log(`plain           ${megabytes(first.plain)}`)
console.log(`one block       ${megabytes(bytes.length)}  ${((performance.now() - start) / 1000).toFixed(1)} s`)
console.log(`${first.blocks} blocks`.padEnd(15), megabytes(first.size), ` ${(first.ms / 1000).toFixed(1)} s`)
console.log(`one edit        ${edit.said}  ${(edit.ms / 1000).toFixed(2)} s`)
console.log(`cost            ${(100 * cost).toFixed(2)} % (limit ${100 * limit} %)`)
process.exitCode = cost > limit ? 1 : 0
