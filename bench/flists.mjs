// Packs a folder into a flist and a folder of blocks: all of it, and again after one file changed; beside the rfs program
// where it is named. Run after `npm run build`: node bench/flists.mjs FOLDER [RFS [ROUNDS]]
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const [folder, rfs, rounds = 3] = process.argv.slice(2)
if (!folder) {
  console.error('usage: node bench/flists.mjs FOLDER [RFS [ROUNDS]]')
  process.exit(2)
}
const work = mkdtempSync(join(process.env.TMPDIR ?? '/var/tmp', 'zos-bench-flists-'))
const tree = join(work, 'tree')
cpSync(folder, tree, { recursive: true, preserveTimestamps: true })
const files = readdirSync(tree, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0)
console.log(`${files.length} files, ${(bytes / 1e6).toFixed(0)} MB, node ${process.version}`)

const cli = join(import.meta.dirname, '../core/dist/cli/main.js')
/** Seconds of the whole process, start included. */
const timed = (file, args) => {
  const start = performance.now()
  const { status, stderr } = spawnSync(file, args, {
    env: { ...process.env, ZOS_STORE: join(work, 'store') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${status}\n${stderr}`)
  return (performance.now() - start) / 1000
}
const zos = () =>
  timed(process.execPath, [cli, 'flist', 'pack', '-m', join(work, 'zos.fl'), '-s', `dir://${join(work, 'zos')}`, tree])
const clear = (...names) => {
  for (const name of names) rmSync(join(work, name), { recursive: true, force: true })
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

const times = { whole: [], again: [], rfs: [] }
for (let round = 0; round < Number(rounds); round++) {
  clear('zos', 'zos.fl', 'store', 'rfs', 'rfs.fl')
  times.whole.push(zos())
  appendFileSync(files[round % files.length], 'x')
  times.again.push(zos())
  if (rfs) times.rfs.push(timed(rfs, ['pack', '-m', join(work, 'rfs.fl'), '-s', `dir://${join(work, 'rfs')}`, tree]))
}
for (const [name, list] of Object.entries(times))
  if (list.length > 0)
    console.log(
      `${name.padEnd(6)} ${median(list).toFixed(2)} s  ${(bytes / 1e6 / median(list)).toFixed(0)} MB/s  (${list.map((one) => one.toFixed(2)).join(', ')})`,
    )
if (rfs) console.log(`rfs / zos: ${median(times.rfs.map((one, at) => one / times.whole[at])).toFixed(2)}`)
rmSync(work, { recursive: true, force: true })
