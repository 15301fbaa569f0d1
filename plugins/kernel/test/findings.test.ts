import { FileTree } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { moduleClosure } from '../dist/closure.js'
import { compressionOf, parseKernelConfig } from '../dist/kernel-config.js'
import { embedFindings, firmwareFindings, firmwarePlaceFindings } from '../dist/module-findings.js'
import { kernelOf, module } from './handmade.js'

const attributes = { mode: 0o644, uid: 0, gid: 0 }
const blob = { sha256: 'a'.repeat(64), size: 1 }
const kernel = (config: string, index = kernelOf([])) => ({
  release: '6.12',
  index,
  config: parseKernelConfig(config, 'config-6.12'),
  systemMap: blob,
  folder: FileTree.empty,
})

test('firmware of drivers in the image, built in ones included, is listed once', () => {
  const index = {
    ...kernelOf([module('nic', { firmware: ['a.fw', 'b.fw'] }), module('other', { firmware: ['c.fw'] })]),
    builtin: [
      { name: 'raid', firmware: ['d.fw'] },
      { name: 'unasked', firmware: ['e.fw'] },
    ],
  }
  const wanted = ['nic', 'raid'].map((name) => ({ name, by: 'm.conf:1' }))
  const closure = moduleClosure(index, { stage1: wanted, stage2: [] })
  const tree = FileTree.from([{ kind: 'file', path: '/a.fw', blob, ...attributes }])
  const [finding, ...more] = firmwareFindings(tree, closure, kernel('', index))
  assert.equal(more, [])
  assert.is(finding?.level, 'warning')
  assert.is(finding?.message, 'drivers of the image name 2 files that it does not have:\nb.fw (nic)\nd.fw (raid)')
  assert.equal(
    firmwareFindings(FileTree.empty, moduleClosure(index, { stage1: [], stage2: [] }), kernel('', index)),
    [],
  )
})

test('a kernel in a unified image needs the EFI stub', () => {
  assert.equal(embedFindings(kernel('CONFIG_EFI=y\nCONFIG_EFI_STUB=y'), 'uki'), [])
  assert.equal(embedFindings(kernel(''), 'none'), [])
  const codes = embedFindings(kernel('CONFIG_EFI=y'), 'uki').map(({ code, message }) => [code, message.split(':')[0]])
  assert.equal(codes, [['KERNEL_CONFIG_LACKS', 'has no CONFIG_EFI_STUB=y']])
})

test('/usr/lib/firmware must be /lib/firmware', () => {
  assert.equal(firmwarePlaceFindings('/usr/lib/firmware', '/usr/lib/firmware'), [])
  assert.equal(firmwarePlaceFindings('/lib/firmware', undefined), [])
  assert.is(firmwarePlaceFindings('/lib/firmware', '/usr/lib/firmware')[0]?.code, 'KERNEL_FIRMWARE_PLACE')
  assert.is(firmwarePlaceFindings(undefined, '/usr/lib/firmware')[0]?.level, 'error')
})

test('the compression of an archive by its first bytes', () => {
  assert.is(compressionOf(Buffer.from('fd377a585a0000', 'hex')), 'xz')
  assert.is(compressionOf(Buffer.from('28b52ffd', 'hex')), 'zstd')
  assert.is(compressionOf(Buffer.from('1f8b08', 'hex')), 'gzip')
  assert.is(compressionOf(Buffer.from('070701')), 'none')
})

test.run()
