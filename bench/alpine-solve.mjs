// A world of 200 packages on a real index of 4,900, beside the real apk on the same index in the same run.
// node bench/alpine-solve.mjs FOLDER: with alpine-minirootfs-*.tar.gz and an APKINDEX of its own architecture in it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDependency } from '../plugins/alpine/dist/format/dependency.js'
import { parseIndex } from '../plugins/alpine/dist/format/index-text.js'
import { readIndex } from '../plugins/alpine/dist/format/read-index.js'
import { alpineKeys } from '../plugins/alpine/dist/repository/keys.js'
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
const all = new Universe([{ label: 'main', entries: parseIndex(text, 'index') }])
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
const steps = {
  'the real apk, whole process': () => {
    const { status } = apk('add', ...options, ...names)
    if (status !== 0) throw new Error('the real apk found no solution')
  },
  'apk version, whole process': () => apk('--version'),
  'ours: signature, index, solution': async () => {
    const read = await readIndex(bytes, keys, 'index')
    solve(new Universe([{ label: 'main', entries: parseIndex(read.text, 'index') }]), names)
  },
  'ours: index remembered, solution': () => {
    solve(new Universe([{ label: 'main', entries: parseIndex(text, 'index') }]), names)
  },
  'ours: solution alone': () => {
    solve(all, names)
  },
}

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
for (const [name, list] of Object.entries(times))
  console.log(
    `  ${name.padEnd(36)} ${median(list).toFixed(1).padStart(8)} ms   ${(median(list) / real).toFixed(2)} of the real apk`,
  )
