// A world of 200 packages on a real index of 4,900, beside the real apk on the same index in the same run.
// node bench/alpine-solve.mjs FOLDER: with alpine-minirootfs-*.tar.gz and an APKINDEX of its own architecture in it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDependency } from '../plugins/alpine/dist/format/dependency.js'
import { parseIndex } from '../plugins/alpine/dist/format/index-text.js'
import { readIndex } from '../plugins/alpine/dist/format/read-index.js'
import { alpineKeys } from '../plugins/alpine/dist/repository/keys.js'
import { encodeIndex, IndexTable } from '../plugins/alpine/dist/solve/index-table.js'
import { search } from '../plugins/alpine/dist/solve/solve.js'
import { Universe } from '../plugins/alpine/dist/solve/universe.js'

const rounds = 15
const wanted = 200

const [, , folder] = process.argv
const find = (form) => readdirSync(folder ?? '.').find((name) => form.test(name))
const [archive, index] = [find(/minirootfs.*\.tar\.gz$/), find(/APKINDEX\.tar\.gz$/)]
if (!archive || !index || process.getuid() !== 0) {
  console.log('expected a folder with a minirootfs and an index, and root for chroot')
  process.exit(2)
}

const root = mkdtempSync(join(tmpdir(), 'zos-bench-'))
process.once('exit', () => rmSync(root, { recursive: true, force: true }))
spawnSync('tar', ['-xzf', join(folder, archive), '-C', root])
mkdirSync(join(root, 'trial/main/x86_64'), { recursive: true })
mkdirSync(join(root, 'trial/empty'))
copyFileSync(join(folder, index), join(root, 'trial/main/x86_64/APKINDEX.tar.gz'))
const apk = (...args) => spawnSync('chroot', [root, '/sbin/apk', ...args], { encoding: 'utf8' })
apk('add', '--root', '/trial/empty', '--initdb', '--no-network', '--arch', 'x86_64')

const bytes = readFileSync(join(folder, index))
const keys = alpineKeys('x86_64')
const { text } = await readIndex(bytes, keys, 'index')
const solve = (universe, names) =>
  search(
    universe,
    names.map((name) => parseDependency(name, 'bench')),
  )

// Names in a fixed order, each taken while there is still a solution.
const table = encodeIndex(parseIndex(text, 'index'))
const universeOf = (laid) => new Universe([{ label: 'main', table: new IndexTable(laid) }])
const all = universeOf(table)
const names = ['busybox']
let state = 1
while (names.length < wanted) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
  const name = all.candidates[state % all.candidates.length].entry.name
  if (!names.includes(name) && solve(all, [...names, name]).errors === 0) names.push(name)
}

const options = [
  '--simulate',
  '--root',
  '/trial/empty',
  '--keys-dir',
  '/etc/apk/keys',
  '--arch',
  'x86_64',
  '--no-network',
  '-X',
  '/trial/main',
]

// The whole program asks a server for the index, which says that it is the one of last time.
const server = createServer((request, response) => {
  const isKnown = request.headers['if-none-match'] === '"1"'
  response.writeHead(isKnown ? 304 : 200, { etag: '"1"' }).end(isKnown ? undefined : bytes)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.once('exit', () => server.close())
const repository = `http://127.0.0.1:${server.address().port}/main`
const project = fileURLToPath(new URL('..', import.meta.url))
const zos = async (...args) => {
  const env = { ...process.env, ZOS_STORE: join(root, 'store') }
  const [code] = await once(
    spawn(process.execPath, ['core/dist/cli/main.js', ...args], { cwd: project, env, stdio: 'ignore' }),
    'exit',
  )
  if (code !== 0) throw new Error(`zos ended with ${code}`)
}

const steps = {
  'the real apk, whole process': () => {
    if (apk('add', ...options, ...names).status !== 0) throw new Error('the real apk found no solution')
  },
  'ours: signature, index, solution': async () => {
    const read = await readIndex(bytes, keys, 'index')
    solve(universeOf(encodeIndex(parseIndex(read.text, 'index'))), names)
  },
  'ours: index remembered, solution': () => {
    solve(universeOf(table), names)
  },
  'ours: solution alone': () => {
    solve(all, names)
  },
  'zos apk solve, whole process': () => zos('apk', 'solve', '--repository', repository, ...names),
  'zos --version, whole process': () => zos('--version'),
}
await steps['zos apk solve, whole process']()

const times = Object.fromEntries(Object.keys(steps).map((name) => [name, []]))
for (let round = 0; round < rounds; round++)
  for (const [name, step] of Object.entries(steps)) {
    const start = performance.now()
    await step()
    times[name].push(performance.now() - start)
  }

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
const real = median(times['the real apk, whole process'])
console.log(
  `${names.length} names, ${solve(all, names).packages.length} packages of ${all.candidates.length}; median of ${rounds}`,
)
server.close()
for (const [name, list] of Object.entries(times))
  console.log(
    `  ${name.padEnd(36)} ${median(list).toFixed(1).padStart(8)} ms   ${(median(list) / real).toFixed(2)} of the real apk`,
  )
