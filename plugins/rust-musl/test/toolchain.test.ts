import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { debianRustPackages } from '../dist/debian-packages.js'
import { chooseToolchain, hostToolchain, type RustInstall, rustPlaces } from '../dist/toolchain.js'
import { searchRust } from '../dist/toolchain-search.js'

const target = 'x86_64-unknown-linux-musl'
const gnu = 'x86_64-unknown-linux-gnu'

const install = (prefix: string, more: Partial<RustInstall> = {}): RustInstall => ({
  prefix,
  targets: [gnu],
  hasLibrarySource: false,
  hasLinker: false,
  identity: ['bin/cargo', 'bin/rustc', 'lib/librustc_driver-1.so'],
  packages: [],
  ...more,
})
const ready = install('/home/me/.rustup/toolchains/stable', { targets: [gnu, target], hasLinker: true })
const source = install('/usr', { hasLibrarySource: true, packages: ['rustc-web'] })

test('an installed target wins over one that would have to be built', () => {
  const chosen = chooseToolchain(target, { installs: [source, ready], zig: '/opt/z' })
  assert.is(chosen.library, 'installed')
  assert.is(chosen.prefix, ready.prefix)
  assert.is(chosen.linker, 'rust-lld')
})

test('the target is built from source where zig is there to link', () => {
  const chosen = chooseToolchain(target, { installs: [install('/usr/local'), source], zig: '/opt/z' })
  assert.equal([chosen.library, chosen.prefix, chosen.linker], ['build-std', '/usr', 'zig'])
  assert.is(
    chooseToolchain('aarch64-unknown-linux-musl', { installs: [ready, source], zig: '/z' }).library,
    'build-std',
  )
})

test('without its own linker an installed target takes zig, else the C compiler', () => {
  const plain = install('/usr', { targets: [target] })
  assert.is(chooseToolchain(target, { installs: [plain], zig: '/z' }).linker, 'zig')
  assert.is(chooseToolchain(target, { installs: [plain] }).linker, 'cc')
})

test('what is missing, and how to get it', () => {
  const error = (installs: readonly RustInstall[], zig?: string) =>
    errorOf(() => chooseToolchain(target, { installs, ...(zig !== undefined && { zig }) }))
  assert.match(error([]).hint.join('\n'), 'apt-get install rustc-web cargo-web rust-web-src')
  assert.match(error([install('/usr')]).message, 'the Rust of /usr has neither the target x86_64-unknown-linux-musl')
  assert.match(
    error([install('/usr')]).hint.join('\n'),
    /rustup target add x86_64-unknown-linux-musl\n.*rust-web-src\n.*ziglang/,
  )
  assert.match(error([source]).message, 'takes zig, which is not there')
  assert.not.match(error([install('/usr')], '/z').hint.join('\n'), 'zig')
  assert.is(error([source]).exit, 6)
})

test('the sandbox shows installations at places that are the same everywhere', () => {
  const rustup = chooseToolchain(target, { installs: [ready], zig: '/home/me/zig' })
  assert.equal(hostToolchain(rustup, ['perl', 'cc']), {
    tools: ['cc', 'perl'],
    packages: [],
    folders: {
      '/opt/rust': { from: ready.prefix, identity: ready.identity },
      '/opt/zig': { from: '/home/me/zig', identity: ['zig'] },
    },
  })
  assert.is(rustPlaces(rustup).rustc, '/opt/rust/bin/rustc')
  const debian = chooseToolchain(target, { installs: [source], zig: '/home/me/zig' })
  assert.equal(hostToolchain(debian).tools, ['/usr/bin/cargo', '/usr/bin/rustc', 'cc'])
  assert.equal(hostToolchain(debian).packages, ['rustc-web'])
  assert.is(rustPlaces(debian).library, '/usr/lib/rustlib/src/rust/library')
})

/** A machine as a list of its files; texts where they matter. */
const machine = (files: readonly string[], env: Record<string, string>, texts: Record<string, string> = {}) => {
  const all = [...files, ...Object.keys(texts)]
  const names = new Set(
    all.flatMap((file) => file.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))),
  )
  return searchRust({
    project: { env: (name: string) => env[name] } as never,
    hostText: async (path) => texts[path],
    hostGlob: async (pattern) => {
      const form = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}$`)
      return [...names].filter((name) => form.test(name)).sort()
    },
  })
}

const rustup = '/home/me/.rustup'
const stable = `${rustup}/toolchains/stable-x86_64-unknown-linux-gnu`
const files = [
  '/home/me/.cargo/bin/cargo',
  '/home/me/.cargo/bin/rustc',
  `${stable}/bin/cargo`,
  `${stable}/bin/rustc`,
  `${stable}/lib/librustc_driver-1.so`,
  `${stable}/lib/rustlib/${gnu}/lib/libstd-1.rlib`,
  `${stable}/lib/rustlib/${gnu}/bin/rust-lld`,
  `${stable}/lib/rustlib/${target}/lib/libstd-2.rlib`,
  `${stable}/lib/rustlib/manifest-rust-std-${target}`,
  '/usr/bin/cargo',
  '/usr/bin/rustc',
  '/usr/lib/x86_64-linux-gnu/librustc_driver-2.so',
  `/usr/lib/rustlib/${gnu}/lib/libstd-3.rlib`,
  '/usr/lib/rustlib/src/rust/library/Cargo.lock',
  '/checkout/tools/lib/python3.11/site-packages/ziglang/zig',
]
const env = { HOME: '/home/me', PATH: '/home/me/.cargo/bin:/checkout/tools/bin:/usr/bin:/bin' }
const settings = {
  [`${rustup}/settings.toml`]: 'version = "12"\ndefault_toolchain = "stable-x86_64-unknown-linux-gnu"\n',
}

test('rustup’s toolchain, the system’s, and zig of a virtual environment', async () => {
  const found = await machine(files, env, settings)
  assert.equal(
    found.installs.map(({ prefix }) => prefix),
    [stable, '/usr'],
  )
  assert.equal(found.installs[0], {
    prefix: stable,
    targets: [gnu, target],
    hasLibrarySource: false,
    hasLinker: true,
    identity: ['bin/cargo', 'bin/rustc', 'lib/librustc_driver-1.so'],
    packages: [],
  })
  assert.is(found.installs[1]?.hasLibrarySource, true)
  assert.equal(found.installs[1]?.identity.at(-1), 'lib/x86_64-linux-gnu/librustc_driver-2.so')
  assert.is(found.zig, '/checkout/tools/lib/python3.11/site-packages/ziglang')
})

test('RUSTUP_TOOLCHAIN in short, zig unpacked in PATH, a machine with nothing', async () => {
  const other = files.filter((file) => !file.startsWith('/usr/bin'))
  const found = await machine(
    [...other, '/z/zig', '/z/lib/std/std.zig'],
    { ...env, PATH: '/z', RUSTUP_TOOLCHAIN: 'stable' },
    { [`${rustup}/settings.toml`]: '' },
  )
  assert.equal(
    found.installs.map(({ prefix }) => prefix),
    [stable],
  )
  assert.is(found.zig, '/z')
  assert.equal(await machine([], { PATH: '/usr/bin' }), { installs: [] })
  assert.equal(await machine(files, { PATH: '' }), { installs: [] })
})

test('Debian’s packages that make up a Rust, with the LLVM below it', () => {
  const status = `Package: rustc-web
Status: install ok installed
Version: 1.96.0+dfsg1-1
Depends: libstd-rust-web-dev (= 1.96.0), gcc

Package: libstd-rust-web-1.96
Status: install ok installed
Depends: libc6 (>= 2.34), libllvm22 (>= 1:22.1), libz3

Package: cargo
Status: deinstall ok config-files
Version: 0.66

Package: rustfmt-web
Status: install ok installed
`
  assert.equal(debianRustPackages(status), ['libllvm22', 'libstd-rust-web-1.96', 'rustc-web'])
  assert.equal(debianRustPackages(''), [])
})

test.run()
