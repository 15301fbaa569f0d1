import type { Action, ActionResult, Json } from '@zos/core'
import { FileTree } from '@zos/core'
import { rejection } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildSysroot, toolchainName } from '../dist/build-sysroot.js'
import type { RustToolchain } from '../dist/toolchain.js'
import { MemoryBlobs, tapContext, treeOf } from './contexts.js'

const target = 'aarch64-unknown-linux-musl'
const blobs = new MemoryBlobs()
const rust: RustToolchain = {
  target,
  library: 'build-std',
  linker: 'zig',
  prefix: '/usr',
  identity: [],
  packages: [],
  zig: '/z',
}
const deps = `target/${target}/release/deps`
const line =
  'ld.lld -static -o main cache/o/1/crt1.o cache/o/2/main.o cache/o/3/libunwind.a cache/o/4/libc.a cache/o/5/libzigc.a'

const context = (library: 'installed' | 'build-std', act: (action: Action) => Promise<ActionResult>) =>
  tapContext({
    blobs,
    act,
    fetched: {
      [toolchainName]: { facts: { ...rust, library } as unknown as Json },
      [`${toolchainName}/crates`]: { tree: FileTree.empty },
    },
  })

const outcome = async ({ command }: Action): Promise<ActionResult> => {
  if (command.includes('/opt/zig/zig')) {
    const names = ['1/crt1.o', '2/main.o', '3/libunwind.a', '4/libc.a', '5/libzigc.a', '6/other.o']
    return {
      tree: await treeOf(blobs, Object.fromEntries(names.map((name) => [`cache/o/${name}`, name]))),
      stdout: `${line}\n`,
    }
  }
  const names = ['libstd-1.rlib', 'libcore-2.rlib', 'libcore-2.rmeta', 'libanchor-3.rlib', 'std-1.d']
  return { tree: await treeOf(blobs, Object.fromEntries(names.map((name) => [`${deps}/${name}`, name]))), stdout: '' }
}

test('a target as rustup would install it', async () => {
  const ctx = context('build-std', outcome)
  const { trees, facts } = await buildSysroot(ctx)
  const lib = `/lib/rustlib/${target}/lib`
  assert.equal(trees?.sysroot?.list(lib), ['libcore-2.rlib', 'libstd-1.rlib', 'self-contained'])
  assert.equal(trees?.sysroot?.list(`${lib}/self-contained`), [
    ...['crt1.o', 'crtbegin.o', 'crtend.o', 'crti.o', 'crtn.o'],
    ...['libc.a', 'libunwind.a', 'libzigc.a'],
  ])
  assert.equal(facts, { libraries: ['c', 'zigc'] })
  const zig = ctx.actions.find(({ command }) => command.includes('/opt/zig/zig'))
  assert.ok(zig?.command.includes('aarch64-linux-musl'))
})

test('nothing is built where the target is installed', async () => {
  const ctx = context('installed', outcome)
  assert.equal(await buildSysroot(ctx), { trees: { sysroot: FileTree.empty }, facts: { libraries: [] } })
  assert.is(ctx.actions.length, 0)
})

test('an error waits until nothing is running any more', async () => {
  let ended = false
  const ctx = context('build-std', async (action) => {
    if (!action.command.includes('/opt/zig/zig')) throw new Error('no library')
    await new Promise((resolve) => setTimeout(resolve, 20))
    ended = true
    return outcome(action)
  })
  const failed = await buildSysroot(ctx).catch((error: Error) => error)
  assert.equal([(failed as Error).message, ended], ['no library', true])
})

test('a cargo that left no library is told', async () => {
  const ctx = context('build-std', async (action) =>
    action.command.includes('/opt/zig/zig') ? outcome(action) : { tree: FileTree.empty, stdout: '' },
  )
  assert.is((await rejection(buildSysroot(ctx))).code, 'RUST_STD')
})

test.run()
