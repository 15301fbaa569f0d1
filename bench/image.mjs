// The same Debian packages as a packed initramfs, by zos and by mkosi, in turn: from the store or cache, after an edit of
// one file, with nothing to do. Run as root after a build: node bench/image.mjs [ROUNDS] [FOLDER]. Needs mkosi 24 or later; the
// folder keeps stores and caches between runs.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const rounds = Number(process.argv[2] ?? 3)
const folder = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'zos-image-'))
const packages = ['busybox-static', 'kmod', 'btrfs-progs', 'dosfstools', 'iproute2', 'dropbear-bin']
const program = join(root, 'core/dist/cli/main.js')

const write = (path, text) => {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
}

/** Runs a command; gives seconds. */
const time = (cwd, file, ...args) => {
  const start = performance.now()
  const run = spawnSync(file, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ZOS_STORE: '' },
  })
  if (run.status !== 0) throw new Error(`${file} ended with ${run.status}\n${(run.stdout + run.stderr).slice(-3000)}`)
  const seconds = (performance.now() - start) / 1000
  console.error(`${seconds.toFixed(2)} s  ${[file, ...args].slice(-4).join(' ')}`)
  return seconds
}

const zos = join(folder, 'zos')
write(join(zos, 'package.json'), '{"name":"image","private":true,"type":"module"}')
write(
  join(zos, 'zos.config.ts'),
  `import { defineConfig, definePlugin } from '@zos/core'
import { debian } from '@zos/debian'
import * as v from 'valibot'
const extra = definePlugin<object>()({
  name: 'extra', version: '1.0.0', code: import.meta.url, options: v.any(),
  apply: (hooks) => hooks.assemble.tap('extra', async (tree, ctx) => tree.delta().tree(await ctx.project.folder('extra'))),
})
export default defineConfig({
  name: 'image',
  plugins: [debian({ suite: 'bookworm', essential: true, packages: ${JSON.stringify(packages)} }), extra({})],
})
`,
)
rmSync(join(zos, 'node_modules'), { force: true })
symlinkSync(join(root, 'node_modules'), join(zos, 'node_modules'))

const mkosi = join(folder, 'mkosi')
const sources = '/etc/apt/sources.list.d/debian.sources'
write(
  join(mkosi, 'mkosi.pkgmngr/etc/apt/sources.list.d/mkosi.sources'),
  existsSync(sources) ? readFileSync(sources) : '',
)
for (const cache of ['mkosi.cache', 'mkosi.pkgcache']) mkdirSync(join(mkosi, cache), { recursive: true })
write(
  join(mkosi, 'mkosi.conf'),
  `[Distribution]
Distribution=debian
Release=bookworm

[Output]
Format=cpio
CompressOutput=xz
Output=image

[Content]
PackageManagerTrees=mkosi.pkgmngr
PackageCacheDirectory=mkosi.pkgcache
CacheDirectory=mkosi.cache
ExtraTrees=extra
Bootable=no
WithDocs=no
Packages=${packages.join('\n        ')}
`,
)
const edit = (text) => {
  for (const one of [zos, mkosi]) write(join(one, 'extra/etc/edited'), `${text}\n`)
}
edit('first')

const build = (...words) => time(zos, process.execPath, program, 'build', ...words)
const peer = (...words) => time(mkosi, 'mkosi', ...words, '--force', 'build')
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

const first = { zos: build(), mkosi: peer(), incremental: peer('--incremental') }
const times = { zos: { full: [], edit: [], noop: [] }, mkosi: { full: [], edit: [] } }
for (let round = 0; round < rounds; round++) {
  rmSync(join(zos, 'dist'), { recursive: true, force: true })
  times.zos.full.push(build())
  times.mkosi.full.push(peer())
  edit(`round ${round} ${Date.now()}`)
  times.zos.edit.push(build())
  times.mkosi.edit.push(peer('--incremental'))
  build()
  times.zos.noop.push(build())
}

const sizes = {
  zos: statSync(join(zos, 'dist/initramfs.cpio.xz')).size,
  mkosi: statSync(join(mkosi, 'image.cpio.xz')).size,
}
const row = (what, own, other) =>
  console.log(
    `| ${what} | ${own.toFixed(2)} s | ${other ? `${other.toFixed(2)} s | ${(other / own).toFixed(1)}×` : '|'} |`,
  )
console.log(`| the same ${packages.length} packages with all that they need | zos | mkosi | |`)
console.log('|---|---|---|---|')
if (process.argv[3] === undefined) row('first build, with downloads', first.zos, first.mkosi)
row('full build, all packages at hand', median(times.zos.full), median(times.mkosi.full))
row('one file edited (mkosi: --incremental)', median(times.zos.edit), median(times.mkosi.edit))
row('nothing to do', median(times.zos.noop))
console.log(
  `| size of the archive | ${(sizes.zos / 1e6).toFixed(1)} MB | ${(sizes.mkosi / 1e6).toFixed(1)} MB | ${(sizes.mkosi / sizes.zos).toFixed(2)}× |`,
)
if (process.argv[3] === undefined) rmSync(folder, { recursive: true, force: true })
