import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Action, type ActionResult, type Component, FileTree, type Json, ZosError } from '@zos/core'
import { rejection } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildProgram } from '../dist/build-program.js'
import { buildRelease } from '../dist/build-release.js'
import { sysrootName, toolchainName } from '../dist/build-sysroot.js'
import type { CargoOptions } from '../dist/index.js'
import { declaredPrograms, programsOf } from '../dist/programs.js'
import type { RustToolchain } from '../dist/toolchain.js'
import { MemoryBlobs, newFolder, readTree, removeFolder, tapContext, treeOf, writeTree } from './contexts.js'

const root = newFolder()
const blobs = new MemoryBlobs()
test.after(() => removeFolder(root))

const target = 'x86_64-unknown-linux-musl'
const rust: RustToolchain = {
  target,
  library: 'build-std',
  linker: 'zig',
  prefix: '/usr',
  identity: [],
  packages: ['rustc-web'],
  zig: '/home/me/zig',
}
const lock = 'version = 4\n\n[[package]]\nname = "tool"\nversion = "1.2.3"\n'
const main = 'fn main() {\n    old()\n}\n'
const patch = '--- a/src/main.rs\n+++ b/src/main.rs\n@@ -1,3 +1,3 @@\n fn main() {\n-    old()\n+    new()\n }\n'

/** A static and a dynamic program of the host's compiler. */
const program = (...flags: string[]): Buffer => {
  writeFileSync(join(root, 'main.c'), 'int main(void) { return 0; }\n')
  execFileSync('cc', [...flags, '-o', join(root, 'program'), join(root, 'main.c')])
  return readFileSync(join(root, 'program'))
}

const component = (options: CargoOptions): Component => ({
  id: 'rust-musl/tool',
  plugin: 'rust-musl',
  name: 'tool',
  kind: 'rust',
  options: { from: 'path', path: 'tool', folder: '', ...options } as unknown as Json,
})

/** Patches are applied by the real program; cargo is played. */
const sandbox =
  (built: Buffer, name = 'tool') =>
  async (action: Action): Promise<ActionResult> => {
    if (action.command[0] === 'git') {
      const folder = join(root, 'patching')
      removeFolder(folder)
      for (const [path, input] of Object.entries(action.inputs)) {
        if (input instanceof FileTree) await writeTree(join(folder, path), input, blobs)
        else {
          mkdirSync(join(folder, 'patches'), { recursive: true })
          writeFileSync(join(folder, path), await blobs.read(input))
        }
      }
      try {
        const env = { PATH: process.env.PATH, ...action.env, GIT_DIR: join(folder, 'none') }
        execFileSync('git', action.command.slice(1), {
          cwd: join(folder, action.cwd ?? ''),
          env,
          stdio: ['ignore', 'ignore', 'pipe'],
          encoding: 'utf8',
        })
      } catch (cause) {
        const errors = (cause as { stderr: string }).stderr.split('\n').filter((line) => line.startsWith('error'))
        throw new ZosError('ACTION_FAILED', 'patches failed', { data: { errors }, hint: 'log: x' })
      }
      return { tree: FileTree.empty.mount('/src', await readTree(join(folder, 'src'), blobs)), stdout: '' }
    }
    const path = `/target/${target}/release/${name}`
    const record = { path, kind: 'file', mode: 0o755, uid: 0, gid: 0, blob: await blobs.put(built) } as const
    return { tree: FileTree.from([record]), stdout: '' }
  }

const context = async (act: (action: Action) => Promise<ActionResult>, files: Record<string, string> = {}) =>
  tapContext({
    blobs,
    files,
    act,
    fetched: {
      tool: {
        tree: await treeOf(blobs, { 'Cargo.toml': '[package]', 'Cargo.lock': lock, 'src/main.rs': main }),
        facts: { commit: 'abc' },
      },
      'tool/crates': { tree: FileTree.empty, blob: await blobs.put(lock), facts: { lock: 'Cargo.lock' } },
      'tool/files/ui.zip': { blob: await blobs.put('zip') },
      [toolchainName]: { facts: rust as unknown as Json },
    },
    artifacts: {
      [sysrootName]: { trees: { sysroot: await treeOf(blobs, { 'lib/x': 'x' }) }, facts: { libraries: ['c', 'zigc'] } },
    },
  })

test('a patched program at its place, with what is known of it', async () => {
  const ctx = await context(sandbox(program('-static')), { 'config/tool.patch': patch })
  const options = {
    patches: ['config/tool.patch'],
    files: { 'ui.zip': { url: 'https://example.org/ui.zip' } },
    tools: ['perl'],
  }
  const { trees, facts } = await buildProgram(component({ ...options, install: { tool: '/sbin/tool' } }), ctx)
  const entry = trees?.tree?.get('/sbin/tool')
  assert.equal([entry?.kind === 'file' && entry.mode, entry?.origin], [0o755, { plugin: 'rust-musl', package: 'tool' }])
  assert.is(trees?.tree?.count, 2)
  assert.equal(facts, { programs: { tool: '/sbin/tool' }, version: '1.2.3', commit: 'abc' })

  const { inputs } = ctx.actions[1]!
  assert.equal(Object.keys(inputs).sort(), ['bin', 'cargo/config.toml', 'files/ui.zip', 'src', 'sysroot', 'vendor'])
  const source = (inputs.src as FileTree).get('/src/main.rs')
  assert.is(
    source?.kind === 'file' && Buffer.from(await blobs.read(source.blob)).toString(),
    main.replace('old', 'new'),
  )
  const config = Buffer.from(await blobs.read(inputs['cargo/config.toml'] as never)).toString()
  assert.match(config, '"--sysroot=/build/sysroot"')
  assert.match(config, '"-Clink-arg=-lzigc"')
  assert.equal(ctx.hosts.at(-1)?.tools, ['/usr/bin/cargo', '/usr/bin/rustc', 'cc', 'perl'])
})

test('programs that only some versions of the sources have are built where they are there', async () => {
  const manifest =
    '[package]\nname = "a"\n[[bin]]\nname = "b"\npath = "x"\n\n[[bin]]\nname=\'c\'\nrequired-features = [\n"d", "e"]\n[lib]\nname = "f"\n'
  assert.equal(
    [...declaredPrograms(manifest)],
    [
      ['b', []],
      ['c', ['d', 'e']],
    ],
  )
  for (const odd of ['[[bin]', 'bin = 1', '[[bin]]\nname = 2']) assert.equal([...declaredPrograms(odd)], [])
  const sources = await treeOf(blobs, { 'Cargo.toml': '[[bin]]\nname = "tool-server"\n', 'src/bin/tool-old.rs': '' })
  const component = { from: 'path', path: 'tool', folder: '' } as const
  const found = async (more: CargoOptions) =>
    (await programsOf({ blobs } as never, 'tool', { ...component, ...more }, sources)).places
  const optionalInstall = { 'tool-server': '/sbin/s', 'tool-old': '/sbin/o', 'tool-new': '/sbin/n' }
  assert.equal(await found({}), { tool: '/usr/bin/tool' })
  assert.equal(await found({ install: { tool: '/sbin/tool' }, optionalInstall }), {
    tool: '/sbin/tool',
    'tool-server': '/sbin/s',
    'tool-old': '/sbin/o',
  })
})

test('features that a program cannot do without are turned on for it', async () => {
  const sources = await treeOf(blobs, {
    'Cargo.toml': '[[bin]]\nname = "tool"\n\n[[bin]]\nname = "tool-init"\nrequired-features = ["init", "net"]\n',
  })
  const component = { from: 'path', path: 'tool', folder: '', features: ['net', 'tls'] } as const
  const features = async (more: CargoOptions) =>
    (await programsOf({ blobs } as never, 'tool', { ...component, ...more }, sources)).features
  assert.equal(await features({}), ['net', 'tls'])
  assert.equal(await features({ optionalInstall: { 'tool-init': '/init' } }), ['net', 'tls', 'init'])
})

test('a patch that does not fit names file and line', async () => {
  const stale = patch.replace('old()', 'older()')
  const ctx = await context(sandbox(program('-static')), { 'config/tool.patch': stale })
  const error = await rejection(buildProgram(component({ patches: ['config/tool.patch'] }), ctx))
  assert.is(error.code, 'RUST_PATCH')
  assert.match(error.message, /^config\/tool\.patch cannot be applied to tool\nerror: patch failed: src\/main\.rs:1$/)
})

test('rustc’s first error is the error', async () => {
  const first = 'src/main.rs:2:5: error[E0425]: cannot find function `old` in this scope'
  const ctx = await context(async () => {
    throw new ZosError('ACTION_FAILED', `tool: ${first}`, {
      data: { errors: [first, 'error: could not compile'] },
      hint: 'log: x.log',
    })
  })
  const error = await rejection(buildProgram(component({}), ctx))
  assert.equal(
    [error.code, error.message, error.hint],
    ['RUST_COMPILE', `tool does not compile\n${first}`, ['log: x.log']],
  )
})

test('a program that is not static does not get into an image', async () => {
  const error = await rejection(buildProgram(component({}), await context(sandbox(program()))))
  assert.is(error.code, 'RUST_NOT_STATIC')
  assert.match(error.message, 'tool: the interpreter')
})

test('a release is checked the same way', async () => {
  const release = (content: Buffer) => async () => {
    const ctx = tapContext({
      blobs,
      fetched: { corex: { blob: await blobs.put(content) } },
      act: async () => ({ tree: FileTree.empty, stdout: '' }),
    })
    const options = { from: 'release', url: 'https://example.org/v2/corex-2.1.4-linux', rename: 'corex' }
    return buildRelease(
      { id: 'rust-musl/corex', plugin: 'rust-musl', name: 'corex', kind: 'rust-release', options },
      ctx,
    )
  }
  const { trees, facts } = await release(program('-static'))()
  assert.is(trees?.tree?.get('/usr/bin/corex')?.kind, 'file')
  assert.equal(facts, { programs: { corex: '/usr/bin/corex' } })
  assert.match(
    (await rejection(release(program())())).message,
    /^https:\/\/example\.org\/v2\/corex-2\.1\.4-linux: the interpreter/,
  )
})

test.run()
