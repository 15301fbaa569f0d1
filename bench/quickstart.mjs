// Builds of the quickstart: the first one, all from the store, after an edit of one file, with nothing to do.
// Run after a build: node bench/quickstart.mjs [ROUNDS] [FOLDER]. The folder keeps the store between runs (else ZOS_STORE names
// one that is used); the first build is shown where the store is new: it downloads, and compiles its Rust programs.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const rounds = Number(process.argv[2] ?? 5)
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'zos-quickstart-'))
const store = process.env.ZOS_STORE || join(folder, 'store')
const isFirst = !existsSync(store)
const program = join(root, 'core/dist/cli/main.js')
const config = 'variants/quickstart.config.ts'
const edited = 'config/quickstart/zinit/init/ready.sh'

const project = join(folder, 'project')
rmSync(project, { recursive: true, force: true })
mkdirSync(project, { recursive: true })
const parts = ['package.json', 'config', config, 'variants/quickstart.lock', 'plugins/zosstorage/crate']
for (const part of parts)
  if (existsSync(join(root, part)))
    cpSync(join(root, part), join(project, part), {
      recursive: true,
      filter: (path) => basename(path) !== 'target',
    })
for (const link of ['node_modules', '.zos-toolchain']) symlinkSync(join(root, link), join(project, link))

const zig = join(root, '.zos-toolchain/zig')
/** Seconds of one build, from the start of its process to its end. */
const build = () => {
  const start = performance.now()
  const run = spawnSync(process.execPath, [program, 'build', '-c', config], {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, ZOS_STORE: store, PATH: `${zig}:${process.env.PATH}` },
  })
  if (run.status !== 0) throw new Error(`zos build ended with ${run.status}\n${(run.stdout + run.stderr).slice(-3000)}`)
  return (performance.now() - start) / 1000
}

const first = build()
const times = { 'all from the store': [], 'one file edited': [], 'nothing to do': [] }
for (let round = 0; round < rounds; round++) {
  rmSync(join(project, 'dist'), { recursive: true, force: true })
  times['all from the store'].push(build())
  appendFileSync(join(project, edited), `# ${round} ${Date.now()}\n`)
  times['one file edited'].push(build())
  build()
  times['nothing to do'].push(build())
}

const { outputs } = JSON.parse(readFileSync(join(project, 'dist/quickstart/manifest.json'), 'utf8'))
console.log('| the quickstart | time |')
console.log('|---|---|')
if (isFirst) console.log(`| first build, with downloads and compilers | ${first.toFixed(0)} s |`)
for (const [name, list] of Object.entries(times))
  console.log(`| ${name} | ${list.toSorted((a, b) => a - b)[list.length >> 1].toFixed(2)} s |`)
console.log(outputs.map(({ name, size }) => `${name} ${(size / 1e6).toFixed(1)} MB`).join(', '))
if (process.argv[3] === undefined) rmSync(folder, { recursive: true, force: true })
