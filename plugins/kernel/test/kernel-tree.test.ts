import { FileTree } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findKernel } from '../dist/kernel-tree.js'
import { errorOf } from './handmade.js'

const file = (path: string, digit = '1') =>
  ({ kind: 'file', path, blob: { sha256: digit.repeat(64), size: 1 }, mode: 0o644, uid: 0, gid: 0 }) as const
const link = (path: string, target: string) => ({ kind: 'symlink', path, target, mode: 0o777, uid: 0, gid: 0 }) as const

const parts = (release: string, image: string) => [
  file(`/boot/${image}`, '2'),
  file(`/boot/config-${release}`, '3'),
  file(`/boot/System.map-${release}`, '4'),
  file(`/lib/modules/${release}/modules.builtin`),
  file(`/lib/modules/${release}/modules.dep`),
  file(`/lib/modules/${release}/kernel/fs/xfs.ko`),
  link(`/lib/modules/${release}/build`, '/usr/src/linux'),
]

test('Debian: the image by release; indexes and links to sources are left behind', () => {
  const found = findKernel(FileTree.from([...parts('6.12-amd64', 'vmlinuz-6.12-amd64'), file('/boot/vmlinuz-old')]))
  assert.is(found.release, '6.12-amd64')
  assert.is(found.image.sha256, '2'.repeat(64))
  assert.is(found.config.sha256, '3'.repeat(64))
  assert.is(found.systemMap.sha256, '4'.repeat(64))
  assert.equal(
    [...found.modules.records()].map(({ path }) => path),
    ['/kernel', '/kernel/fs', '/kernel/fs/xfs.ko', '/modules.builtin'],
  )
})

test('Alpine: the image by flavour', () => {
  const records = [...parts('6.12.44-0-lts', 'vmlinuz-lts'), link('/boot/boot', '.')]
  assert.is(findKernel(FileTree.from(records)).image.sha256, '2'.repeat(64))
})

test('no kernel, two kernels, no image, no config: each says what was found', () => {
  const message = (records: Parameters<typeof FileTree.from>[0]) =>
    errorOf(() => findKernel(FileTree.from(records))).message
  assert.match(message([]), 'no kernel')
  assert.match(message([...parts('6.1', 'vmlinuz-6.1'), ...parts('6.2', 'vmlinuz-6.2')]), '2 kernels: 6.1, 6.2')
  assert.match(message(parts('6.1', 'other')), 'found none')
  assert.match(
    message(parts('6.1', 'vmlinuz-6.1').filter(({ path }) => !path.includes('config'))),
    'kernel 6.1, but no file /boot/config-6.1',
  )
})

test.run()
