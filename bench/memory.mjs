// Peak memory of building an image of some 500 MB from Debian packages, first from nothing and then from the store.
// Run after a build: node bench/memory.mjs [FOLDER]. The folder keeps downloads between runs. Fails above 400 MB.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'zos-memory-'))
const limit = 400

mkdirSync(folder, { recursive: true })
rmSync(join(folder, 'node_modules'), { force: true })
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{"name":"memory","private":true,"type":"module"}')
writeFileSync(
  join(folder, 'zos.config.ts'),
  `import { defineConfig } from '@zos/core'
import { debian } from '@zos/debian'
export default defineConfig({
  name: 'memory',
  plugins: [debian({ suite: 'bookworm', packages: ['gcc', 'libllvm14', 'git', 'python3', 'vim'] })],
})
`,
)

const peak = 'process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS+"\\n"))'
const program = join(root, 'core/dist/cli/main.js')

/** Builds; gives the peak of the process in MB (of 10^6 bytes), which holds its threads too. */
const build = (what, ...words) => {
  const start = performance.now()
  const args = ['--import', `data:text/javascript,${encodeURIComponent(peak)}`, program, 'build', '--json', ...words]
  const run = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (run.status !== 0) throw new Error(`${what} ended with ${run.status}\n${run.stdout.slice(-2000)}${run.stderr}`)
  const megabytes = (Math.max(...[...run.stderr.matchAll(/^peak (\d+)$/gm)].map(([, kib]) => Number(kib))) * 1024) / 1e6
  const seconds = (performance.now() - start) / 1000
  console.log(`${what.padEnd(34)} ${megabytes.toFixed(0).padStart(5)} MB ${seconds.toFixed(1).padStart(7)} s`)
  return megabytes
}

const peaks = [build('all from nothing'), build('initramfs again', '--rebuild-from=pack')]
const { outputs } = JSON.parse(readFileSync(join(folder, 'dist/manifest.json'), 'utf8'))
const image = outputs.find(({ format }) => format === 'initramfs')
console.log(
  `image: ${(image.facts.plain / 1e6).toFixed(0)} MB, ${(image.size / 1e6).toFixed(0)} MB packed; limit ${limit} MB of memory`,
)
if (process.argv[2] === undefined) rmSync(folder, { recursive: true, force: true })
process.exitCode = Math.max(...peaks) > limit ? 1 : 0
