import { type ComponentSpec, type Plan, type Source, sha256 } from '@zos/core'
import { rejection } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { declareComponents } from '../dist/declare.js'
import { crate, git, path, type RustMuslOptions, release } from '../dist/index.js'

const declared = async (
  options: RustMuslOptions,
  files: Record<string, string> = {},
  env: Record<string, string> = {},
) => {
  const sources: Record<string, Source> = {}
  const components: ComponentSpec[] = []
  const plan = {
    arch: 'x86_64',
    project: {
      env: (name: string) => env[name],
      glob: async (name: string) => (name in files ? [name] : []),
      text: async (name: string) => files[name]!,
    },
    source: (name: string, source: Source) => {
      sources[name] = source
    },
    component: (spec: ComponentSpec) => components.push(spec),
  } as unknown as Plan
  await declareComponents(plan, 'rust-musl', options)
  return { sources, components }
}

test('sources and components of each kind', async () => {
  const ui = { url: 'https://example.org/ui.zip', sha256: 'ab'.repeat(32) }
  const { sources, components } = await declared({
    zinit: crate('zinit', '0.3.9', { files: { 'ui.zip': ui } }),
    mycelium: git('https://example.org/mycelium', { ref: 'v0.6.1', subdir: './myceliumd/' }),
    corex: release('https://example.org/corex-2', { sha256: 'cd'.repeat(32) }),
  })
  assert.equal(sources, {
    'rust/toolchain': { kind: 'rust-toolchain', live: true, target: 'x86_64-unknown-linux-musl' },
    zinit: { kind: 'crate', crate: 'zinit', version: '0.3.9' },
    'zinit/files/ui.zip': { kind: 'http', urls: [ui.url], sha256: ui.sha256 },
    mycelium: { kind: 'rust-git', url: 'https://example.org/mycelium', ref: 'v0.6.1', folder: 'myceliumd' },
    corex: { kind: 'http', urls: ['https://example.org/corex-2'], sha256: 'cd'.repeat(32) },
  })
  assert.equal(
    components.map(({ name, kind }) => `${name} ${kind}`),
    ['rust/sysroot rust-sysroot', 'corex rust-release', 'mycelium rust', 'zinit rust'],
  )
  assert.equal(
    components.find(({ name }) => name === 'zinit')?.needs?.map((need) => need.component),
    ['rust/sysroot'],
  )
})

test('releases alone need no Rust', async () => {
  const { components } = await declared({ corex: release('https://example.org/corex-2') })
  assert.equal(
    components.map(({ name }) => name),
    ['corex'],
  )
})

test('crates of the project follow the Cargo.lock that counts', async () => {
  const files = { 'crates/mine/Cargo.toml': '', 'crates/Cargo.toml': '', 'crates/Cargo.lock': 'version = 4\n' }
  const { sources } = await declared({ mine: path('crates', { subdir: 'mine' }) }, files)
  assert.equal(sources.mine, { kind: 'path', path: 'crates' })
  assert.equal(sources['mine/crates'], {
    kind: 'cargo-vendor',
    of: { in: 'project', folder: 'crates' },
    folder: 'mine',
    lock: 'Cargo.lock',
    sha256: sha256('version = 4\n'),
  })
  const without = await rejection(declared({ mine: path('crates') }, { 'crates/Cargo.toml': '' }))
  assert.equal([without.code, without.message], ['RUST_LOCK', 'crates has no Cargo.lock'])
  const nothing = await rejection(declared({ mine: path('crate') }, files))
  assert.equal([nothing.code, nothing.message], ['RUST_MANIFEST', 'the project has no crate/Cargo.toml'])
})

test('another RUST_TARGET than the image’s is refused', async () => {
  const options = { zinit: crate('zinit', '0.3.9') }
  await declared(options, {}, { RUST_TARGET: 'x86_64-unknown-linux-musl' })
  const error = await rejection(declared(options, {}, { RUST_TARGET: 'x86_64-unknown-linux-gnu' }))
  assert.is(error.code, 'RUST_TARGET')
})

test.run()
