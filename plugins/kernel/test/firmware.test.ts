import { FileTree } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { missingFirmware, selectFirmware } from '../dist/firmware.js'
import { parseFirmwareConf } from '../dist/firmware-conf.js'
import { errorOf, module } from './handmade.js'

const attributes = { mode: 0o644, uid: 0, gid: 0 }
const blob = { sha256: 'a'.repeat(64), size: 1 }
const file = (path: string) => ({ kind: 'file', path, blob, ...attributes }) as const
const link = (path: string, target: string) => ({ kind: 'symlink', path, target, ...attributes, mode: 0o777 }) as const

const tree = FileTree.from([
  ...['/amdgpu/a.bin', '/amdgpu/sub/b.bin', '/bnx2/x.fw.zst', '/rtl_nic/1.fw', '/rtl_nic/2.fw', '/top.bin'].map(file),
  link('/second.bin', 'first.bin'),
  link('/first.bin', 'amdgpu/../top.bin'),
  link('/out.bin', '/etc/passwd'),
  link('/round.bin', 'round.bin'),
  link('/old', 'rtl_nic'),
])
const select = (text: string) =>
  [...selectFirmware(parseFirmwareConf(text, 'f.conf'), tree).records()]
    .filter(({ kind }) => kind !== 'directory')
    .map(({ path }) => path.slice(1))

test('a file, a glob, a folder; a compressed file goes by the name drivers use', () => {
  assert.equal(select('top.bin # x'), ['top.bin'])
  assert.equal(select('rtl_nic/*.fw'), ['rtl_nic/1.fw', 'rtl_nic/2.fw'])
  assert.equal(select('amdgpu/'), ['amdgpu/a.bin', 'amdgpu/sub/b.bin'])
  assert.equal(select('bnx2/x.fw\nbnx2/x.fw.zst'), ['bnx2/x.fw.zst'])
})

test('links bring what they lead to, through folders too, and end in circles', () => {
  assert.equal(select('second.bin'), ['first.bin', 'second.bin', 'top.bin'])
  assert.equal(select('old/1.fw'), ['old', 'rtl_nic/1.fw'])
  assert.equal(select('round.bin\nout.bin'), ['out.bin', 'round.bin'])
})

test('lines that match nothing come in one report', () => {
  const { code, message } = errorOf(() => select('top.bin\nno.bin\nrtl/'))
  assert.is(code, 'KERNEL_FIRMWARE_MISSING')
  assert.is(message, 'f.conf:2: the firmware tree has no file no.bin\nf.conf:3: the firmware tree has no file rtl/')
})

for (const [line, found] of [
  ['/lib/firmware/x', 'repeats /lib/firmware'],
  ['usr/lib/firmware/x', 'repeats /lib/firmware'],
  ['../x', 'is no path below'],
  ['/x', 'is no path below'],
  ['a//b', 'is no path below'],
  ['/', 'is no path below'],
  ['[ab].bin', 'a bracket'],
  ['a b', 'a blank'],
  ['a/**', 'has **'],
  ['a*/', 'a folder with a glob'],
] as const) {
  test(`refused with file and line: ${line}`, () => {
    const { code, message } = errorOf(() => select(`\n${line}`))
    assert.is(code, 'KERNEL_FIRMWARE_CONF')
    assert.match(message, 'f.conf:2: ')
    assert.match(message, found)
  })
}

test('firmware that drivers name and the image has not, with the drivers', () => {
  const drivers = [
    module('r8169', { firmware: ['rtl_nic/1.fw', 'rtl_nic/9.fw', 'old/2.fw'] }),
    module('bnx2', { firmware: ['bnx2/x.fw', 'rtl_nic/9.fw'] }),
    module('wifi', { firmware: ['amdgpu/*.bin', 'w/*.bin', '../x', '/x', '{', '**x'] }),
  ]
  assert.equal(missingFirmware(drivers, tree), [
    { name: '**x', drivers: ['wifi'] },
    { name: '../x', drivers: ['wifi'] },
    { name: '/x', drivers: ['wifi'] },
    { name: 'rtl_nic/9.fw', drivers: ['bnx2', 'r8169'] },
    { name: 'w/*.bin', drivers: ['wifi'] },
    { name: '{', drivers: ['wifi'] },
  ])
})

test.run()
