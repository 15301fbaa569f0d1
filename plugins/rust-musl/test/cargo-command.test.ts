import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cargoCommand, rustFlags } from '../dist/cargo-command.js'
import { libcCommand, stdCommand } from '../dist/sysroot.js'
import { type RustToolchain, rustPlaces } from '../dist/toolchain.js'

const target = 'x86_64-unknown-linux-musl'
const built: RustToolchain = {
  target,
  library: 'build-std',
  linker: 'zig',
  prefix: '/usr',
  identity: ['bin/cargo', 'lib/x86_64-linux-gnu/librustc_driver-1.so'],
  packages: ['rustc-web'],
  zig: '/home/me/zig',
}
const installed: RustToolchain = {
  target: 'aarch64-unknown-linux-musl',
  library: 'installed',
  linker: 'rust-lld',
  prefix: '/home/me/.rustup/toolchains/stable',
  identity: ['bin/cargo', 'lib/librustc_driver-1.so'],
  packages: [],
}

test('programs of a workspace, with the target made here', () => {
  const options = {
    features: ['b', 'a'],
    defaultFeatures: false,
    package: 'tools',
    profile: 'dev',
    env: { UI: 'x', PATH: '/evil' },
  }
  const { command, env, cwd, outputs } = cargoCommand(built, rustPlaces(built), options, ['one', 'two'], 'sub')
  assert.is(
    command.join(' '),
    `/usr/bin/cargo build --locked --offline --message-format=short --target ${target} --profile dev --no-default-features --features b,a --package tools --bin one --bin two`,
  )
  assert.is(cwd, 'src/sub')
  assert.equal(outputs, [`target/${target}/debug/one`, `target/${target}/debug/two`])
  assert.is(env?.UI, 'x')
  assert.is(env?.PATH, '/usr/bin:/bin', 'the build keeps its own PATH')
  assert.is(env?.RUSTC, '/usr/bin/rustc')
  assert.is(env?.LD_LIBRARY_PATH, '/usr/lib/x86_64-linux-gnu')
  assert.is(env?.CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER, '/build/bin/ld')
  assert.is(env?.CC_x86_64_unknown_linux_musl, '/build/bin/cc')
})

test('programs with a target that is installed', () => {
  const { command, env, cwd } = cargoCommand(installed, rustPlaces(installed), {}, ['one'], '')
  assert.is(command[0], '/opt/rust/bin/cargo')
  assert.not.ok(command.includes('--no-default-features') || command.includes('--features'))
  assert.is(cwd, 'src')
  assert.is(env?.CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER, 'rust-lld')
  assert.is(env?.CC_aarch64_unknown_linux_musl, undefined)
  assert.equal(rustFlags(installed, []), ['-Ctarget-feature=+crt-static', '--remap-path-prefix=/build/='])
})

test('no command holds a path of this machine or a number of jobs', () => {
  for (const rust of [built, installed]) {
    const places = rustPlaces(rust)
    const all = [
      cargoCommand(rust, places, {}, ['one'], ''),
      stdCommand(rust.target, places),
      libcCommand(rust.target, places),
    ]
    const text = JSON.stringify([all, rustFlags(rust, ['c', 'zigc'])])
    assert.not.match(text, /\/home\/me|"-j|--jobs/)
  }
})

test.run()
