import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FileTree, ref } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { kernelRefs } from '../dist/kernel-artifact.js'
import { packUki } from '../dist/pack-uki.js'
import { debianKernel } from './debian-kernel.js'
import { fakeContext, inScratch, MemoryBlobs, treeOf } from './fake-context.js'
import { kernelOf } from './handmade.js'

const kernel = debianKernel()
if (typeof kernel === 'string') {
  console.log(`skip pack-uki: ${kernel}`)
} else {
  const { version, root } = kernel
  const blobs = new MemoryBlobs()
  const read = (path: string) => readFileSync(join(root, path))
  const image = read(`boot/vmlinuz-${version}`)
  const initrd = Buffer.concat([Buffer.from('fd377a585a0000', 'hex'), Buffer.alloc(5000, 1)])
  const osRelease = 'ID=zos\nPRETTY_NAME="Zero-OS"\n'
  const stub = ref('debian', 'stub', 'tree')
  const artifact = (config: string | Buffer) => ({
    trees: { modules: FileTree.empty },
    files: {
      image: blobs.add(image),
      config: blobs.add(config),
      'system-map': blobs.add(''),
      index: blobs.add(JSON.stringify(kernelOf([]))),
    },
    facts: { release: version },
  })
  const entry = { kind: 'file', mode: 0o644, uid: 0, gid: 0 } as const
  const pack = (config: string | Buffer, stubTree: FileTree) =>
    packUki(
      { name: 'vmlinuz.efi', format: 'uki', options: {} },
      fakeContext({
        blobs,
        artifacts: { 'debian/stub': { trees: { tree: stubTree } }, 'kernel/linux': artifact(config) },
        root: FileTree.from([{ ...entry, path: '/etc/os-release', blob: blobs.add(osRelease) }]),
        outputs: { initramfs: blobs.add(initrd) },
      }),
      kernelRefs('kernel').kernel,
      { stub, cmdline: 'console=ttyS0 quiet' },
    )
  const stubs = FileTree.empty.mount('/usr/lib/systemd', treeOf(join(root, 'usr/lib/systemd'), blobs))
  const config = read(`boot/config-${version}`)
  const errorOf = async (promise: Promise<unknown>): Promise<{ code: string; message: string }> =>
    promise.then(
      () => Promise.reject(new Error('expected an error')),
      (error) => error,
    )

  test('the sections hold what was given, as objcopy reads them', async () => {
    const packed = await pack(config, stubs)
    assert.is(packed.note, version)
    assert.equal(packed.aliases, [`vmlinuz-${version}.efi`])
    if (spawnSync('objcopy', ['--version']).status !== 0) return console.log('skip pack-uki sections: no objcopy')
    inScratch((folder) => {
      writeFileSync(join(folder, 'uki'), blobs.get(packed.blob))
      const section = (name: string) => {
        const args = ['-O', 'binary', '--only-section', name, join(folder, 'uki'), join(folder, 'section')]
        const { status, stderr } = spawnSync('objcopy', args)
        assert.is(status, 0, String(stderr))
        return readFileSync(join(folder, 'section'))
      }
      const begins = (name: string, expected: Buffer | string) => {
        const found = section(name)
        assert.ok(found.subarray(0, expected.length).equals(Buffer.from(expected)), name)
        assert.ok(
          found.subarray(expected.length).every((byte) => byte === 0),
          `${name} ends with zeros`,
        )
      }
      begins('.cmdline', 'console=ttyS0 quiet')
      begins('.uname', version)
      begins('.osrel', osRelease)
      begins('.initrd', initrd)
      begins('.linux', image)
    })
  })

  test('the same parts give the same bytes', async () => {
    assert.equal((await pack(config, stubs)).blob, (await pack(config, stubs)).blob)
  })

  test('a kernel that cannot unpack the initramfs, and a tree without a stub, are errors', async () => {
    const lacking = await errorOf(pack(String(config).replace('CONFIG_RD_XZ=y', '# CONFIG_RD_XZ is not set'), stubs))
    assert.is(lacking.code, 'KERNEL_CONFIG_LACKS')
    assert.match(lacking.message, 'compression xz: its config has no CONFIG_RD_XZ')
    const stubless = await errorOf(pack(config, FileTree.empty))
    assert.is(stubless.code, 'KERNEL_STUB')
    assert.match(stubless.message, 'linuxx64.efi.stub')
  })
}

test.run()
