import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkConfigWishes, lackingForEfi, lackingForInitramfs, parseKernelConfig } from '../dist/kernel-config.js'
import { errorOf } from './handmade.js'

const config = parseKernelConfig(
  [
    '#',
    '# Automatically generated file; DO NOT EDIT.',
    'CONFIG_EFI=y',
    'CONFIG_EFI_STUB=y',
    'CONFIG_BLK_DEV_INITRD=y',
    'CONFIG_RD_XZ=y',
    '# CONFIG_RD_ZSTD is not set',
    'CONFIG_ACME=m',
    'CONFIG_NR_CPUS=64',
    'CONFIG_BASE=0xffffffff81000000',
    'CONFIG_LOCALVERSION="-a \\"b\\""',
    'CONFIG_X86_64_ACPI_NUMA=y',
    '',
  ].join('\n'),
  'config-6.12',
)

test('values as written; what is not set is absent', () => {
  assert.is(config.get('CONFIG_ACME'), 'm')
  assert.is(config.get('CONFIG_NR_CPUS'), '64')
  assert.is(config.get('CONFIG_BASE'), '0xffffffff81000000')
  assert.is(config.get('CONFIG_LOCALVERSION'), '"-a \\"b\\""')
  assert.is(config.has('CONFIG_RD_ZSTD'), false)
  assert.is(config.size, 9)
})

test('fulfilled wishes: equal, m by y, n by absence', () => {
  const wishes = [
    'CONFIG_ACME=m',
    'CONFIG_EFI=m',
    'CONFIG_EFI=y',
    'CONFIG_NONE=n',
    'CONFIG_RD_ZSTD=n',
    'CONFIG_NR_CPUS=64',
  ]
  checkConfigWishes(
    config,
    wishes.map((wish) => ({ wish, by: 'test' })),
    '6.12',
  )
})

test('all unmet wishes in one error: wisher, wanted, found', () => {
  const { code, message } = errorOf(() =>
    checkConfigWishes(
      config,
      [
        { wish: 'CONFIG_ACME=y', by: 'acme-board' },
        { wish: 'CONFIG_NIC=m', by: 'net' },
        { wish: 'CONFIG_EFI=n', by: 'bios' },
      ],
      '6.12.1',
    ),
  )
  assert.is(code, 'KERNEL_CONFIG_UNMET')
  assert.equal(message.split('\n'), [
    'acme-board wants CONFIG_ACME=y, kernel 6.12.1 has CONFIG_ACME=m',
    'net wants CONFIG_NIC=m, kernel 6.12.1 has CONFIG_NIC=n',
    'bios wants CONFIG_EFI=n, kernel 6.12.1 has CONFIG_EFI=y',
  ])
})

test('a wish of another form names who has it', () => {
  assert.match(
    errorOf(() => checkConfigWishes(config, [{ wish: 'CONFIG_A=yes', by: 'acme-board' }], '6.12')).message,
    'acme-board wishes "CONFIG_A=yes", expected',
  )
})

test('what a kernel lacks for an archive and for EFI', () => {
  assert.equal(lackingForInitramfs(config, 'xz'), [])
  assert.equal(lackingForInitramfs(config, 'none'), [])
  assert.equal(lackingForInitramfs(config, 'zstd'), ['CONFIG_RD_ZSTD'])
  assert.equal(lackingForEfi(config), [])
  assert.equal(lackingForEfi(new Map()), ['CONFIG_EFI', 'CONFIG_EFI_STUB'])
})

for (const [line, found] of [
  ['CONFIG_A', 'found "CONFIG_A", expected CONFIG_X=value'],
  ['CONFIG_A=maybe', 'found "CONFIG_A=maybe"'],
  ['CONFIG_A="open', 'found '],
  ['CONFIG_B=y', 'CONFIG_B a second time'],
] as const) {
  test(`an error names file and line: ${line}`, () => {
    const { message } = errorOf(() => parseKernelConfig(`# CONFIG_B is not set\n${line}`, '.config'))
    assert.match(message, '.config:2: ')
    assert.match(message, found)
  })
}

test('what is written is read back', () => {
  const value = fc.oneof(
    fc.constantFrom('y', 'm', 'n'),
    fc.integer().map(String),
    fc.string().map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`),
  )
  const entries = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[A-Z0-9_]{1,12}$/), value), {
    selector: ([name]) => name,
  })
  fc.assert(
    fc.property(entries, (pairs) => {
      const lines = pairs.map(([name, v]) => (v === 'n' ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${v}`))
      const read = parseKernelConfig(lines.join('\n'), '.config')
      assert.equal(
        [...read],
        pairs.filter(([, v]) => v !== 'n').map(([name, v]) => [`CONFIG_${name}`, v]),
      )
    }),
  )
})

test.run()
