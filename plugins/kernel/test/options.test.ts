import { git, ref } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { kernel, kernelOrg } from '../dist/index.js'
import { kernelOptions } from '../dist/options.js'
import { settleConfig, settleFirmware, settleModules } from '../dist/wishes.js'
import { errorOf } from './handmade.js'

const source = ref('debian', 'kernel', 'tree')
const stub = ref('debian', 'stub', 'tree')
const issues = (options: unknown) => v.safeParse(kernelOptions, options).issues?.map(({ message }) => message) ?? []

test('a kernel with a unified image, one without', () => {
  assert.equal(issues({ source, modules: 'config/modules.conf', embed: 'uki', stub, cmdline: 'console=ttyS0' }), [])
  assert.equal(issues({ source, modules: { stage1: ['loop'] }, embed: 'none' }), [])
})

test('wrong options are refused', () => {
  const uki = { source, modules: {}, embed: 'uki', stub, cmdline: '' }
  assert.is(issues({ ...uki, stub: undefined }).length, 1)
  assert.is(issues({ ...uki, cmdline: 'a\nb' }).length, 1)
  assert.is(issues({ ...uki, cmdline: 'x'.repeat(2048) }).length, 1)
  assert.is(issues({ ...uki, modules: { stage3: [] } }).length, 1)
  assert.is(issues({ ...uki, other: 1 }).length, 1)
  assert.is(issues({ source, modules: {}, embed: 'none', cmdline: 'x' }).length, 1)
})

test('a kernel that is compiled: its source is a release, a repository, a folder or a package', () => {
  const compiled = { source, modules: {}, config: 'kernel.config', embed: 'builtin' }
  assert.equal(issues(compiled), [])
  assert.equal(issues({ ...compiled, source: kernelOrg('6.12.44'), localVersion: '-Zero-OS', cmdline: 'quiet' }), [])
  assert.equal(issues({ ...compiled, source: git('https://example.org/linux', { ref: 'v6.12' }) }), [])
  assert.equal(issues({ ...compiled, config: { base: 'tinyconfig', fragments: ['a'], refused: 'warning' } }), [])
  assert.match(`${issues({ ...compiled, source: kernelOrg('v6.12') })}`, 'expected a released version')
  assert.match(`${issues({ ...compiled, source: { kind: 'crate' } })}`, "expected kernelOrg('6.12.44')")
  assert.match(`${issues({ ...compiled, localVersion: '-a b' })}`, 'expected letters')
  assert.is(issues({ ...compiled, stub }).length, 1)
})

test('without a config nothing is compiled, and options for that are refused', () => {
  const prebuilt = { source, modules: {}, embed: 'none' }
  assert.match(`${issues({ ...prebuilt, source: kernelOrg('6.12.44') })}`, 'a kernel from source needs config')
  assert.match(`${issues({ ...prebuilt, embed: 'builtin' })}`, "embed: 'builtin' compiles the kernel here")
  assert.match(`${issues({ ...prebuilt, patches: ['a.patch'] })}`, 'patches is for a kernel that is compiled here')
})

test('the descriptor offers references as plain data', () => {
  const linux = kernel.as('linux', { source, modules: {}, embed: 'none' })
  assert.equal(linux.modules, ref('linux', 'linux', 'modules'))
  assert.equal(linux.image, ref('linux', 'linux', 'image'))
})

test('config wishes: y and m agree, others contradict', () => {
  const wish = (value: string, by: string) => ({ value, by })
  assert.equal(settleConfig([wish('CONFIG_A=m', 'a'), wish('CONFIG_A=y', 'b')]), [
    { wish: 'CONFIG_A=m', by: 'a' },
    { wish: 'CONFIG_A=y', by: 'b' },
  ])
  const { code, message } = errorOf(() => settleConfig([wish('CONFIG_A=y', 'a'), wish('CONFIG_A=n', 'b')]))
  assert.is(code, 'KERNEL_CONFIG_CONTRADICTION')
  assert.is(message, 'a wants CONFIG_A=y, b wants CONFIG_A=n')
  assert.match(errorOf(() => settleConfig([wish('ACME', 'a')])).message, 'a wishes "ACME"')
})

test('module and firmware wishes carry who wishes; wrong names are errors naming them', () => {
  const wishes = [
    { value: { stage1: ['a'] }, by: 'x' },
    { value: { stage1: ['b'], stage2: ['c'] }, by: 'y' },
  ]
  assert.equal(settleModules(wishes), {
    stage1: [
      { name: 'a', by: 'x' },
      { name: 'b', by: 'y' },
    ],
    stage2: [{ name: 'c', by: 'y' }],
  })
  assert.match(errorOf(() => settleModules([{ value: { stage1: ['a.ko'] }, by: 'x' }])).message, 'x: "a.ko" is not')
  assert.equal(settleFirmware([{ value: 'acme/', by: 'x' }]), [{ pattern: 'acme/', by: 'x' }])
  assert.match(errorOf(() => settleFirmware([{ value: '/etc', by: 'x' }])).message, 'x: "/etc"')
})

test.run()
