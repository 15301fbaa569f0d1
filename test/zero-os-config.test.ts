// time limit: 240 s
// What variables make of the flagship and its variants: the environment comes before a variant, that before the config.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project, startZos } from './zos.js'

interface Shown {
  readonly arch: string
  readonly mode: string
  readonly outputFolder: string
  readonly plugins: Readonly<Record<string, { readonly options: Readonly<Record<string, never>> }>>
}

const ask = (file: string, env: Readonly<Record<string, string>>) =>
  startZos(['config', '--json', '-c', file], project, 60, env).ended

const config = async (file: string, env: Readonly<Record<string, string>> = {}) => {
  const { end, stdout, stderr } = await ask(file, env)
  assert.is(end, 0, `${file} ${JSON.stringify(env)}\n${stdout}${stderr}`)
  const shown = JSON.parse(stdout) as Shown
  const options = (plugin: string) => shown.plugins[plugin]?.options as Record<string, unknown> | undefined
  return { ...shown, options, kernel: options('kernel')!, system: options('system')! }
}

const zeroOs = 'zos.config.ts'
const kernelOrg = (version: string) => ({ kind: 'kernel-org', version, mirrors: ['https://cdn.kernel.org/pub'] })

test('each variable of the flagship', async () => {
  const plain = await config(zeroOs)
  assert.equal([plain.mode, plain.arch, plain.kernel.include], ['debug', 'x86_64', 'standard'])
  assert.equal(plain.kernel.source, kernelOrg('6.12.44'))
  const all = await config(zeroOs, {
    ...{ ALPINE_VERSION: '3.21', KERNEL_VERSION: '6.12.50', INCLUDE_MODULES: 'minimal', TARGETARCH: 'arm64' },
    ...{ BUILDMODE: 'release', FIRMWARE_TAG: 'v7', ZEROOS_BRANDING: 'false', ZEROOS_PASSWORDLESS_ROOT: '1' },
  })
  assert.equal([all.mode, all.arch, all.kernel.include], ['release', 'aarch64', 'minimal'])
  assert.is(all.options('alpine')?.branch, '3.21')
  assert.equal([all.kernel.source, all.kernel.localVersion], [kernelOrg('6.12.50'), '-Zero-OS'])
  assert.is(all.options('rfs')?.firmwareTag, 'v7')
  assert.equal([all.system.branding, all.system.passwordlessRoot], [false, true])
})

test('Alpine’s own kernels by KERNEL_VERSION, which comes before a variant', async () => {
  const lts = '→ alpine/tree linux-lts.tree'
  const own = await config('variants/alpine-lts.config.ts')
  assert.equal([own.kernel.source, own.kernel.embed, own.kernel.config], [lts, 'uki', undefined])
  assert.is((await config(zeroOs, { KERNEL_VERSION: 'lts' })).kernel.source, lts)
  assert.is((await config(zeroOs, { KERNEL_VERSION: 'edge' })).kernel.source, '→ alpine/tree linux-edge.tree')
  const other = await config('variants/alpine-lts.config.ts', { KERNEL_VERSION: '6.12.50' })
  assert.equal([other.kernel.source, other.kernel.embed], [kernelOrg('6.12.50'), 'builtin'])
})

test('the variants', async () => {
  const minimal = await config('variants/minimal.config.ts')
  assert.is(minimal.kernel.include, 'minimal')
  assert.is((await config('variants/minimal.config.ts', { INCLUDE_MODULES: 'full' })).kernel.include, 'full')
  assert.is((await config('variants/full.config.ts')).kernel.include, 'full')
  const debug = await config('variants/debug.config.ts', { ZEROOS_PASSWORDLESS_ROOT: 'false' })
  assert.equal([debug.options('zinit')?.root, debug.system.passwordlessRoot], ['in-place', false])
  assert.match((await config('variants/release.config.ts')).outputFolder, /\/dist\/zero-os-release$/)
  const arm = await config('variants/arm64.config.ts')
  assert.is(arm.arch, 'aarch64')
  assert.equal((arm.kernel.config as { fragments: string[] }).fragments, [
    'config/kernel.config',
    'config/kernel.aarch64.config',
  ])
  assert.is((await config('variants/arm64.config.ts', { TARGETARCH: 'amd64' })).arch, 'x86_64')
})

test('what no variable may be', async () => {
  for (const [name, value, code] of [
    ['ZEROOS_BRANDING', 'yes', 'ENV_BOOLEAN'],
    ['TARGETARCH', 'riscv64', 'ENV_ARCH'],
    ['BUILDMODE', 'fast', 'ENV_MODE'],
    ['INCLUDE_MODULES', 'all', 'CONFIG_INVALID'],
    ['ALPINE_VERSION', 'new', 'CONFIG_INVALID'],
    ['KERNEL_VERSION', 'newest', 'CONFIG_INVALID'],
  ] as const) {
    const { end, stdout, stderr } = await ask(zeroOs, { [name]: value })
    assert.is.not(end, 0, name)
    assert.match(stdout + stderr, code, name)
  }
})

test.run()
