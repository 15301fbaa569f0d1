import { ref } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkSigningKey } from '../dist/compiler.js'
import { parseKernelConfig } from '../dist/kernel-config.js'
import { kernelSettings, linesText, releaseOf } from '../dist/kernel-settings.js'
import type { CompiledKernelOptions } from '../dist/options.js'
import { fakeContext, MemoryBlobs } from './fake-context.js'
import { errorOf } from './handmade.js'

const files = {
  'a.config': '# comment\nCONFIG_NET=y\n# CONFIG_USB is not set\n',
  'b.config': 'CONFIG_NET=n\n',
  'whole.config': 'CONFIG_A=y\n',
}
const settled = {
  'kernel/config': [
    { wish: 'CONFIG_ACME=m', by: 'acme' },
    { wish: 'CONFIG_ACME=y', by: 'other' },
    { wish: 'CONFIG_ACME=m', by: 'third' },
  ],
}
const ctx = fakeContext({ blobs: new MemoryBlobs(), files, settled })
const options = (more: Partial<CompiledKernelOptions>): CompiledKernelOptions =>
  ({
    source: ref('debian', 'source', 'tree'),
    modules: {},
    config: 'whole.config',
    embed: 'none',
    ...more,
  }) as CompiledKernelOptions

test('fragments in their order with their place, then the build’s own lines, then wishes: built in beats a module', async () => {
  const config = { base: 'tinyconfig', fragments: ['a.config', 'b.config'] }
  const { base, lines } = await kernelSettings(
    ctx,
    options({ config, embed: 'builtin', cmdline: 'a "b"', localVersion: '-x' }),
  )
  assert.equal(base, { target: 'tinyconfig' })
  assert.equal(lines.slice(0, 3), [
    { symbol: 'CONFIG_NET', value: 'y', by: 'a.config:2' },
    { symbol: 'CONFIG_USB', value: 'n', by: 'a.config:3' },
    { symbol: 'CONFIG_NET', value: 'n', by: 'b.config:1' },
  ])
  assert.equal(
    lines.filter(({ symbol }) => symbol === 'CONFIG_ACME'),
    [{ symbol: 'CONFIG_ACME', value: 'y', by: 'other' }],
  )
  const text = linesText(lines)
  for (const line of [
    'CONFIG_CMDLINE="a \\"b\\""',
    'CONFIG_CMDLINE_BOOL=y',
    'CONFIG_LOCALVERSION="-x"',
    'CONFIG_EFI_STUB=y',
  ])
    assert.ok(text.split('\n').includes(line), line)
  assert.ok(text.endsWith('CONFIG_INITRAMFS_SOURCE=""\n'))
  assert.match(text, /# CONFIG_NET is not set\n/)
})

test('a whole config is a file; a wrong line in it is named', async () => {
  assert.equal((await kernelSettings(ctx, options({}))).base, { text: 'CONFIG_A=y\n' })
  const broken = fakeContext({ blobs: new MemoryBlobs(), files: { 'whole.config': 'CONFIG_A=y\nA=y\n' } })
  await kernelSettings(broken, options({})).then(
    () => assert.unreachable(),
    ({ message }) => assert.match(message, 'whole.config:2: found "A=y"'),
  )
})

test('the release is what the sources say and what the config adds', () => {
  assert.is(releaseOf('6.12.44\n-rt9\n', '"-Zero-OS"'), '6.12.44-rt9-Zero-OS')
  assert.is(releaseOf('6.12.44\n', undefined), '6.12.44')
  assert.match(errorOf(() => releaseOf('6.12.44', `"${'x'.repeat(64)}"`)).message, 'is no kernel release')
})

test('a key that the build would make itself is refused', () => {
  const config = (key: string) => parseKernelConfig(`CONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_KEY="${key}"\n`, '.config')
  assert.is(errorOf(() => checkSigningKey(config('certs/signing_key.pem'))).code, 'KERNEL_SIGNING_KEY')
  checkSigningKey(config(''))
  checkSigningKey(parseKernelConfig('CONFIG_A=y\n', '.config'))
})

test.run()
