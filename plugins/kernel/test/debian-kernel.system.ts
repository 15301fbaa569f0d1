// time limit: 300 s
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { moduleClosure } from '../dist/closure.js'
import { lackingForEfi, lackingForInitramfs, parseKernelConfig } from '../dist/kernel-config.js'
import type { ModuleFacts } from '../dist/module-index.js'
import { moduleNameOf } from '../dist/module-name.js'
import { parseModulesDep } from '../dist/modules-dep.js'
import { debianIndex, debianKernel, indexedCopy } from './debian-kernel.js'

const kernel = debianKernel()
if (typeof kernel === 'string') {
  console.log(`skip debian-kernel: ${kernel}`)
} else {
  const { version, root, kmod } = kernel
  const index = debianIndex(kernel)
  const byName = new Map(index.modules.map((module) => [module.name, module]))
  const copy = indexedCopy(kernel)
  const folder = join(copy, 'lib/modules', version)

  test('the index has every module of modules.order', () => {
    const ordered = readFileSync(join(folder, 'modules.order'), 'utf8').trim().split('\n').map(moduleNameOf)
    assert.ok(ordered.length > 1000)
    assert.equal([...byName.keys()].sort(), ordered.sort())
  })

  test('the closure of .modinfo is the closure of modules.dep, for every module', () => {
    const dep = parseModulesDep(readFileSync(join(folder, 'modules.dep'), 'utf8'))
    assert.is(dep.size, index.modules.length)
    const hardOnly = { ...index, modules: index.modules.map((of) => ({ ...of, pre: [], post: [], weak: [] })) }
    for (const [path, needed] of dep) {
      const wanted = { stage1: [{ name: moduleNameOf(path), by: 'test' }], stage2: [] }
      assert.equal(
        moduleClosure(hardOnly, wanted).modules.map((of) => of.path),
        [...needed, path].sort(),
      )
    }
  })

  test('60 modules load what modprobe loads, in an order that modprobe could take', () => {
    // libkmod 30 takes notice of a module's first softdep line alone: all of them on one line make it honour each.
    const lines = index.modules.filter(hasSoftdeps).map(softdepLine)
    writeFileSync(join(folder, 'modules.softdep'), `${lines.join('\n')}\n`)
    for (const name of sixty(index.modules)) {
      const shown = kmod('modprobe', ['--show-depends', '-d', copy, '-S', version, name]).toString()
      const expected = new Set([...shown.matchAll(/^insmod (\S+)/gm)].map(([, path]) => moduleNameOf(path!)))
      const { stages, modules } = moduleClosure(index, { stage1: [{ name, by: 'test' }], stage2: [] })
      assert.equal([...stages.stage1.order].sort(), [...expected].sort(), name)
      for (const [at, loaded] of stages.stage1.order.entries()) {
        for (const needed of byName.get(loaded)!.depends) {
          const before = stages.stage1.order.indexOf(needed)
          assert.ok(before < at, `${needed} before ${loaded}`)
        }
      }
      assert.ok(modules.length >= expected.size)
    }
  })

  test('cifs brings the ciphers it names without pre:', () => {
    const { modules } = moduleClosure(index, { stage1: [{ name: 'cifs', by: 'test' }], stage2: [] })
    const weak = byName.get('cifs')!.weak
    assert.ok(weak.includes('cmac'))
    assert.ok(modules.some(({ name }) => name === 'cmac'))
  })

  test('the config of the package', () => {
    const config = parseKernelConfig(readFileSync(join(root, 'boot', `config-${version}`), 'utf8'), `config-${version}`)
    assert.is(config.get('CONFIG_BTRFS_FS'), 'm')
    assert.is(config.get('CONFIG_FUSE_FS'), 'y')
    assert.equal(lackingForInitramfs(config, 'xz'), [])
    assert.equal(lackingForEfi(config), [])
  })

  test.after(() => rmSync(copy, { recursive: true, force: true }))
}

const hasSoftdeps = ({ pre, post }: ModuleFacts) => pre.length + post.length > 0

const softdepLine = ({ name, pre, post }: ModuleFacts) =>
  `softdep ${name} pre: ${pre.join(' ')}${post.length > 0 ? ` post: ${post.join(' ')}` : ''}`

/** All that have softdeps, then every so many-th of the others. */
const sixty = (modules: readonly ModuleFacts[]): string[] => {
  const soft = modules.filter(hasSoftdeps)
  const others = modules.filter((module) => !hasSoftdeps(module))
  const step = Math.floor(others.length / (60 - soft.length))
  const names = [...soft, ...others.filter((_, at) => at % step === 0)].slice(0, 60).map(({ name }) => name)
  assert.is(names.length, 60)
  return names
}

test.run()
