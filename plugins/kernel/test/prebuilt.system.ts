// time limit: 300 s
import { readFileSync } from 'node:fs'
import { type Artifact, FileTree, type Finding, ref, type TreeRecord } from '@zos/core'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildPrebuilt } from '../dist/build-prebuilt.js'
import { imageClosure, putModules } from '../dist/image-modules.js'
import { kernelRefs, loadKernel } from '../dist/kernel-artifact.js'
import { moduleFindings } from '../dist/module-findings.js'
import { parseModulesDep } from '../dist/modules-dep.js'
import { debianIndex, debianKernel } from './debian-kernel.js'
import { applyTo, fakeContext, fakeTree, inScratch, MemoryBlobs, treeOf, writeTree } from './fake-context.js'

const kernel = debianKernel()
if (typeof kernel === 'string') {
  console.log(`skip prebuilt: ${kernel}`)
} else {
  const { version, root, kmod } = kernel
  const blobs = new MemoryBlobs()
  const source = ref('debian', 'kernel', 'tree')
  const component = kernelRefs('kernel').kernel
  const exec = ([program, ...args]: readonly string[], cwd: string) => void kmod(program!, args, cwd)
  const packages: Record<string, Artifact> = {
    'debian/kernel': { trees: { tree: treeOf(root, blobs) } },
  }
  const built = await buildPrebuilt(fakeContext({ blobs, artifacts: packages, exec }), source)
  const artifacts = { ...packages, 'kernel/linux': built }
  const files = { 'config/modules.conf': 'stage1:virtio_net\nstage1:btrfs\nstage1:ext4\nstage2:cifs\n' }
  const options = { modules: 'config/modules.conf' }
  const folder = `/usr/lib/modules/${version}`

  const link: TreeRecord = { kind: 'symlink', path: '/lib', target: 'usr/lib', mode: 0o777, uid: 0, gid: 0 }
  const base = FileTree.from([{ kind: 'directory', path: '/usr/lib', mode: 0o755, uid: 0, gid: 0 }, link])

  const assembled = async (settled = {}) => {
    const ctx = fakeContext({ blobs, artifacts, files, settled, exec })
    const delta = await putModules(fakeTree(base, blobs), ctx, component, options)
    return { ctx, tree: applyTo(base, delta, blobs), text: fakeTree(applyTo(base, delta, blobs), blobs).text }
  }

  test('the artifact: release from the image, all modules with indexes, the index from the ELF files', async () => {
    assert.equal(built.facts, { release: version, version: /^[\d.]+/.exec(version)![0] })
    const modules = built.trees!.modules!
    assert.ok(modules.get(`/lib/modules/${version}/modules.dep.bin`))
    const { index } = await loadKernel(fakeContext({ blobs, artifacts }), component)
    assert.equal(index, debianIndex(kernel))
  })

  test('the image has the closure with indexes of exactly that set, through merged /usr, and the lists', async () => {
    const { tree, text } = await assembled()
    const dep = parseModulesDep(await text(`${folder}/modules.dep`))
    const shipped = tree.glob(`${folder}/kernel/**`).filter(({ kind }) => kind === 'file')
    assert.equal([...dep.keys()].sort(), shipped.map(({ path }) => path.slice(folder.length + 1)).sort())
    assert.ok(shipped.length > 10 && shipped.length < 100, `${shipped.length} modules`)
    assert.is(await text('/etc/zos/modules/stage1'), 'virtio_net\nbtrfs\n')
    assert.is(await text('/etc/zos/modules/stage2'), 'cifs\n')
    assert.is(tree.get('/lib')?.kind, 'symlink')
  })

  test('modprobe on the assembled set loads what the closure says', async () => {
    const { ctx, tree } = await assembled()
    const closure = await imageClosure(ctx, await loadKernel(ctx, component), options)
    inScratch((copy) => {
      writeTree(tree.subtree('/usr'), blobs, copy)
      const show = (name: string) => kmod('modprobe', ['--show-depends', '-d', copy, '-S', version, name]).toString()
      for (const name of [...closure.stages.stage1.names, ...closure.stages.stage2.names]) {
        assert.match(show(name), new RegExp(`insmod \\S+/${name}\\.ko`))
      }
      assert.match(show('ext4'), 'builtin ext4')
    })
  })

  test('a wish adds modules after those of the list', async () => {
    const settled = { 'kernel/modules': { stage1: [{ name: 'loop', by: 'acme' }], stage2: [] } }
    const { text } = await assembled(settled)
    assert.is(await text('/etc/zos/modules/stage1'), 'virtio_net\nbtrfs\nloop\n')
  })

  test('a wish that the config does not fulfil is an error of the build', async () => {
    const settled = { 'kernel/config': [{ wish: 'CONFIG_BTRFS_FS=y', by: 'acme' }] }
    try {
      await buildPrebuilt(fakeContext({ blobs, artifacts: packages, settled, exec }), source)
      assert.unreachable()
    } catch (error) {
      assert.is((error as Error).message, `acme wants CONFIG_BTRFS_FS=y, kernel ${version} has CONFIG_BTRFS_FS=m`)
    }
  })

  test('the check finds a module, a dependency and an index that went missing', async () => {
    const { ctx, tree, text } = await assembled()
    const loaded = await loadKernel(ctx, component)
    const closure = await imageClosure(ctx, loaded, options)
    const dep = parseModulesDep(await text(`${folder}/modules.dep`))
    const check = (gone: string): Finding[] => {
      const without = tree.filter(({ path, kind }) => kind !== 'directory' && !path.endsWith(gone)).subtree(folder)
      return moduleFindings({ folder: without, dep }, closure, version)
    }
    assert.equal(check('nothing'), [])
    assert.match(check('/btrfs.ko.xz')[0]!.message, 'stage1 loads btrfs')
    assert.ok(check('/xor.ko.xz').some(({ message }) => message.includes('btrfs (stage1) needs it')))
    assert.match(check('/modules.dep.bin')[0]!.message, 'modprobe would find nothing')
  })

  test('depmod is asked with data alone: no path of this machine', async () => {
    const { ctx } = await assembled()
    const { command, env, outputs } = ctx.actions[0]!
    assert.equal(command, ['depmod', '-b', 'root', '-C', '/dev/null', '-F', 'System.map', version])
    assert.equal(env, { LC_ALL: 'C' })
    assert.ok(outputs.every((path) => path.startsWith(`root/lib/modules/${version}/modules.`)))
  })

  test('the config of the package is kept', () => {
    assert.equal(Buffer.from(blobs.get(built.files!.config!)), readFileSync(`${root}/boot/config-${version}`))
  })
}

test.run()
