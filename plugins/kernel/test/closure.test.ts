import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { moduleClosure } from '../dist/closure.js'
import type { ModuleIndex } from '../dist/module-index.js'
import { errorOf, kernelOf, module } from './handmade.js'

const want = (...names: string[]) => names.map((name, index) => ({ name, by: `m.conf:${index + 1}` }))
const close = (index: ModuleIndex, stage1: string[], stage2: string[] = []) =>
  moduleClosure(index, { stage1: want(...stage1), stage2: want(...stage2) })
const shipped = (index: ModuleIndex, ...names: string[]) => close(index, names).modules.map(({ name }) => name)

test('dependencies, then pre, the module, then post; - and _ are equal', () => {
  const index = kernelOf([
    module('after'),
    module('before'),
    module('deep'),
    module('lib', { depends: ['deep'] }),
    module('my_nic', { depends: ['lib'], pre: ['before', 'absent'], post: ['after'] }),
    module('other'),
  ])
  const closure = close(index, ['my-nic'])
  assert.equal(closure.stages.stage1, { names: ['my_nic'], order: ['deep', 'lib', 'before', 'my_nic', 'after'] })
  assert.equal(
    closure.modules.map(({ name }) => name),
    ['after', 'before', 'deep', 'lib', 'my_nic'],
  )
})

test('a softdep may be an alias of several modules; a module of that name goes before', () => {
  const fast = module('crc_fast', { aliases: ['crypto_crc'] })
  const slow = module('crc_slow', { aliases: ['crypto_crc'] })
  const fs = module('fs', { pre: ['crypto_crc'] })
  assert.equal(close(kernelOf([fast, slow, fs]), ['fs']).stages.stage1.order, ['crc_fast', 'crc_slow', 'fs'])
  const named = module('crypto_crc')
  assert.equal(close(kernelOf([fast, slow, named, fs]), ['fs']).stages.stage1.order, ['crypto_crc', 'fs'])
})

test('weak ones are shipped with what they need, and not loaded', () => {
  const index = kernelOf([module('phy', { depends: ['bus'] }), module('bus'), module('nic', { weak: ['phy'] })])
  const closure = close(index, ['nic'])
  assert.equal(closure.stages.stage1.order, ['nic'])
  assert.equal(shipped(index, 'nic'), ['bus', 'nic', 'phy'])
})

test('what is built in needs nothing, wanted or depended on', () => {
  const closure = close(kernelOf([module('nic', { depends: ['core'] })], ['core', 'ext4']), ['ext4', 'nic'])
  assert.equal(closure.builtin, ['ext4'])
  assert.equal(closure.stages.stage1, { names: ['nic'], order: ['nic'] })
})

test('stage 2 has what stage 1 has not', () => {
  const index = kernelOf([module('lib'), module('a', { depends: ['lib'] }), module('b', { depends: ['lib'] })])
  const { stages } = close(index, ['a', 'a'], ['b', 'a'])
  assert.equal(stages, { stage1: { names: ['a'], order: ['lib', 'a'] }, stage2: { names: ['b'], order: ['b'] } })
})

test('all missing names in one error, each with its line and near matches', () => {
  const index = kernelOf(
    [module('virtio_net'), module('virtio_blk'), module('crc_fast', { aliases: ['crc'] })],
    ['ext4'],
  )
  const { code, message } = errorOf(() => close(index, ['virtio-nett', 'ext4', 'zzzzzz'], ['crc', 'ext5']))
  assert.is(code, 'KERNEL_MODULE_MISSING')
  assert.equal(message.split('\n'), [
    'm.conf:1: kernel 6.12.1-test has no module virtio-nett; near: virtio_net',
    'm.conf:3: kernel 6.12.1-test has no module zzzzzz',
    'm.conf:1: crc is an alias of crc_fast, not a module',
    'm.conf:2: kernel 6.12.1-test has no module ext5; near: ext4',
  ])
})

test('a tree that lacks a dependency, and a cycle of dependencies, are errors', () => {
  const broken = kernelOf([module('a', { depends: ['gone'] })])
  assert.match(errorOf(() => close(broken, ['a'])).message, 'kernel/a.ko.xz needs module gone')
  const round = kernelOf([module('a', { depends: ['b'] }), module('b', { depends: ['a'] })])
  assert.match(errorOf(() => close(round, ['a'])).message, 'needs itself')
  const long = kernelOf(
    Array.from({ length: 5000 }, (_, n) => module(`m${n}`, { depends: n > 0 ? [`m${n - 1}`] : [] })),
  )
  assert.match(errorOf(() => close(long, ['m4999'])).message, 'nest deeper than 500')
})

test('a dependency is loaded before its user even when softdeps form a cycle', () => {
  const index = kernelOf([
    module('d', { depends: ['x'] }),
    module('x', { pre: ['n'] }),
    module('n', { depends: ['d'] }),
  ])
  assert.equal(close(index, ['d']).stages.stage1.order, ['x', 'd', 'n'])
})

test('on any graph: closed, each once, needed before its user, names within order, order within the image', () => {
  const count = 12
  const picks = fc.array(fc.nat(count - 1), { maxLength: 3 })
  const graph = fc.array(fc.record({ depends: picks, pre: picks, post: picks, weak: picks }), {
    minLength: count,
    maxLength: count,
  })
  const id = (n: number) => `m${String(n).padStart(2, '0')}`
  fc.assert(
    fc.property(graph, picks, picks, (links, first, second) => {
      // Real dependencies have no cycle: they only point at lower numbers. Softdeps point anywhere, also at nothing.
      const index = kernelOf(
        links.map(({ depends, pre, post, weak }, n) =>
          module(id(n), {
            depends: [...new Set(depends.filter((to) => to < n))].map(id),
            pre: [...pre.map(id), 'absent'],
            post: post.map(id),
            weak: weak.map(id),
          }),
        ),
      )
      const { stages, modules } = close(index, first.map(id), second.map(id))
      const order = [...stages.stage1.order, ...stages.stage2.order]
      const inImage = new Set(modules.map(({ name }) => name))
      const facts = new Map(index.modules.map((of) => [of.name, of]))
      assert.is(new Set(order).size, order.length)
      assert.is(inImage.size, modules.length)
      for (const name of [...stages.stage1.names, ...stages.stage2.names]) assert.ok(order.includes(name))
      for (const n of [...first, ...second]) assert.ok(order.includes(id(n)))
      for (const name of order) {
        const { depends, pre, post } = facts.get(name)!
        for (const dep of depends) assert.ok(order.indexOf(dep) >= 0 && order.indexOf(dep) < order.indexOf(name))
        for (const soft of [...pre, ...post]) assert.ok(soft === 'absent' || order.includes(soft))
        assert.ok(inImage.has(name))
      }
      for (const { depends, pre, post, weak } of modules) {
        for (const to of [...depends, ...pre, ...post, ...weak]) assert.ok(to === 'absent' || inImage.has(to))
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
