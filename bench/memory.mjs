// Peak memory of building an image of some 300 MB from Debian packages and their kernel: every step anew, and the
// initramfs again from the store. Run after a build: node bench/memory.mjs [FOLDER]. The folder keeps the store between
// runs. Fails above 400 MB of memory.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
  plugins: [debian({ suite: 'bookworm', packages: ['git', 'python3', 'vim', 'gdb', 'linux-image-6.12-cloud-amd64'] })],
})
`,
)

const program = join(root, 'core/dist/cli/main.js')
const page = 4096
const textOf = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Bytes that a process and all below it hold in memory now; pages that two share count twice. */
const residentOf = (pid) => {
  const own = Number(textOf(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * page
  const children = textOf(`/proc/${pid}/task/${pid}/children`).trim()
  return children.split(' ').reduce((sum, child) => sum + (child === '' ? 0 : residentOf(child)), own)
}

/** Builds; gives the peak in MB (of 10^6 bytes): of zos as the kernel counts it, and of its whole process tree as seen every 50 ms. */
const build = async (what, ...words) => {
  const start = performance.now()
  const child = spawn(process.execPath, [program, 'build', '--json', ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let [said, own, tree] = ['', 0, 0]
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said = (said + text).slice(-3000)
  })
  const timer = setInterval(() => {
    tree = Math.max(tree, residentOf(child.pid))
    own = Math.max(own, Number(/^VmHWM:\s+(\d+) kB/m.exec(textOf(`/proc/${child.pid}/status`))?.[1] ?? 0) * 1024)
  }, 50)
  const code = await new Promise((resolve) => child.on('close', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${what} ended with ${code}\n${said}`)
  const [zos, all] = [own, Math.max(own, tree)].map((bytes) => Math.round(bytes / 1e6))
  console.log(`| ${what} | ${zos} MB | ${all} MB | ${((performance.now() - start) / 1000).toFixed(0)} s |`)
  return all
}

console.log('| | zos itself | with all that it started | time |')
console.log('|---|---|---|---|')
const again = existsSync(join(folder, '.zos')) ? ['--force-rebuild'] : []
const peaks = [
  await build('every step anew', ...again),
  await build('initramfs again, blocks from the store', '--rebuild-from=pack'),
]
const { outputs } = JSON.parse(readFileSync(join(folder, 'dist/manifest.json'), 'utf8'))
const image = outputs.find(({ format }) => format === 'initramfs')
console.log(
  `image: ${(image.facts.plain / 1e6).toFixed(0)} MB, ${(image.size / 1e6).toFixed(0)} MB packed; limit ${limit} MB of memory`,
)
if (process.argv[2] === undefined) rmSync(folder, { recursive: true, force: true })
process.exitCode = Math.max(...peaks) > limit ? 1 : 0
