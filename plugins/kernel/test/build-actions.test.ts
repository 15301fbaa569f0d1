import { spawnSync } from 'node:child_process'
import { FileTree } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileAction, compressAction, configureAction, linkAction, sourceAction } from '../dist/build-actions.js'
import { diskAction } from '../dist/disk-action.js'
import { kernelTargets } from '../dist/target.js'

const blob = { sha256: 'ab'.repeat(32), size: 1 }
const { x86_64, aarch64 } = kernelTargets
const actions = [
  sourceAction({ archive: blob }, [blob]),
  configureAction(x86_64, { kconfig: blob, base: 'tinyconfig', lines: blob }),
  configureAction(x86_64, { kconfig: blob, base: blob, lines: blob }),
  ...[x86_64, aarch64].flatMap((target) => [
    compileAction(target, { sources: blob, kconfig: blob, config: blob }),
    linkAction(target, { objects: blob, archiveName: 'initramfs.cpio.xz', archive: blob }),
  ]),
  compressAction(FileTree.empty, 'xz'),
  compressAction(FileTree.empty, 'zstd'),
  diskAction({ arch: 'x86_64', program: blob, size: 64, epoch: 1 }),
]

test('every script is one that a POSIX shell can read', () => {
  for (const { name, command } of actions) {
    const { status, stderr } = spawnSync('/bin/sh', ['-n', '-c', command.at(-1)!], { encoding: 'utf8' })
    assert.is(status, 0, `${name}: ${stderr}`)
  }
})

test('who builds, and when, is the same everywhere; the archive is taken as it is', () => {
  const { env, inputs, command } = linkAction(x86_64, {
    objects: blob,
    archiveName: 'initramfs.cpio.xz',
    archive: blob,
  })
  assert.equal([env?.KBUILD_BUILD_USER, env?.KBUILD_BUILD_HOST, env?.KBUILD_BUILD_VERSION], ['zos', 'zos', '1'])
  assert.equal(Object.keys(inputs), ['objects.tar', 'initramfs.cpio.xz'])
  const [, named] = /CONFIG_INITRAMFS_SOURCE=(\S+)/.exec(command.at(-1)!)!
  assert.is(named!.split('.cpio.').length, 2)
})

test('another architecture is compiled across', () => {
  const { env, command } = compileAction(aarch64, { sources: blob, kconfig: blob, config: blob })
  assert.is(env?.ARCH, 'arm64')
  assert.is(env?.CROSS_COMPILE, 'aarch64-linux-gnu-')
  assert.match(command.at(-1)!, 'make O=obj Image ')
  assert.not.match(command.at(-1)!, '--exclude=./arch/arm64/')
})

test('a disk has the same identifiers for the same content, and others for another', () => {
  const script = (size: number) => diskAction({ arch: 'x86_64', program: blob, size, epoch: 1 }).command.at(-1)!
  const ids = (text: string) => [...text.matchAll(/[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}/g)]
  assert.is(ids(script(64)).length, 2)
  assert.is(script(64), script(64))
  assert.is.not(`${ids(script(64))}`, `${ids(script(65))}`)
})

test.run()
