// What cutting the archive into remembered blocks costs: an initramfs that zos packed, against the same archive in one block
// at xz's level 6. Run after a build of the quickstart: node bench/initramfs.mjs [INITRAMFS.cpio.xz]. Fails above 3 %.
import { createReadStream, statSync } from 'node:fs'
import { decompress } from '../core/dist/format/decompress.js'
import { encodeXzBlock } from '../core/dist/format/xz-encode.js'

const file = process.argv[2] ?? 'dist/quickstart/initramfs.cpio.xz'
const limit = 0.03
const plain = () => decompress(createReadStream(file), 'xz', { name: file })

let size = 0
for await (const chunk of plain()) size += chunk.length
const { bytes } = await encodeXzBlock({ size, chunks: plain() }, { preset: 6 })
const packed = statSync(file).size
const cost = packed / bytes.length - 1

const row = (what, amount) => console.log(`| ${what} | ${(amount / 1e6).toFixed(2)} MB |`)
row('the archive', size)
row('in one block', bytes.length)
row('in remembered blocks', packed)
console.log(`cost: ${(100 * cost).toFixed(2)} % (limit ${100 * limit} %)`)
process.exitCode = cost > limit ? 1 : 0
