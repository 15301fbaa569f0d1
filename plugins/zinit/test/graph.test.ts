import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { graphProblems } from '../dist/graph.js'
import type { Order, Unit } from '../dist/service.js'

const units = (graph: Record<string, Order>): Unit[] =>
  Object.entries(graph).map(([name, order]) => ({ kind: 'service', name, exec: 'x', ...order }))
const said = (graph: Record<string, Order>): string[] =>
  graphProblems(units(graph)).map(({ severity, unit, message, hint }) => `${severity} ${unit}: ${message} | ${hint}`)

test('a graph that is right says nothing', () => {
  assert.equal(
    said({ a: { requires: ['b'] }, b: { after: ['c'], wants: ['absent'] }, c: { conflicts: ['other'] } }),
    [],
  )
})

test('a missing unit is named, with what was probably meant', () => {
  assert.equal(said({ sshd: { requires: ['netwrok'], after: ['netwrok'] }, network: {}, x: { after: ['gone'] } }), [
    'error sshd: requires names netwrok, but no unit of the image is called that | did you mean network?',
    'error x: after names gone, but no unit of the image is called that | add the unit gone, or take it out of after',
  ])
})

test('what is only wanted may be missing, but not by a slip of the pen', () => {
  assert.equal(said({ a: { wants: ['netwrok', 'something-else'] }, network: {} }), [
    'warning a: wants names netwrok, but no unit of the image is called that | did you mean network?',
  ])
})

test('cycles are shown as the shortest way round, one for each group', () => {
  const messages = (graph: Record<string, Order>) => graphProblems(units(graph)).map(({ message }) => message)
  assert.equal(messages({ a: { requires: ['a'] } }), ['units wait for each other: a → a'])
  assert.equal(
    messages({
      d: { after: ['b'] },
      a: { requires: ['c'] },
      c: { wants: ['b'] },
      b: { after: ['a', 'd'] },
      x: { requires: ['y'] },
      y: { after: ['x'] },
      z: { requires: ['a', 'x'] },
    }),
    ['units wait for each other: a → c → b → a', 'units wait for each other: x → y → x'],
  )
})

test('a unit that conflicts with what it requires could never start', () => {
  assert.match(
    said({ a: { requires: ['b'], conflicts: ['b'] }, b: {} })[0]!,
    /error a: requires b and conflicts with it/,
  )
  assert.match(said({ a: { conflicts: ['a'] } })[0]!, /error a: conflicts with itself/)
})

test('property: a cycle is reported exactly when units cannot be put in order, and its path is real', () => {
  const edges = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), { maxLength: 12 })
  fc.assert(
    fc.property(edges, (pairs) => {
      const graph: Record<string, { after: string[] }> = {}
      for (let i = 0; i < 7; i++) graph[`u${i}`] = { after: [] }
      for (const [from, to] of pairs) graph[`u${from}`]!.after.push(`u${to}`)
      const left = new Map(Object.entries(graph).map(([name, { after }]) => [name, after]))
      for (let before = -1; before !== left.size; ) {
        before = left.size
        for (const [name, after] of left) if (!after.some((other) => left.has(other))) left.delete(name)
      }
      const problems = graphProblems(units(graph))
      assert.is(problems.length > 0, left.size > 0)
      for (const { message } of problems) {
        const path = message.replace(/^.*: /, '').split(' → ')
        assert.is(path[0], path.at(-1))
        for (let i = 1; i < path.length; i++) assert.ok(graph[path[i - 1]!]!.after.includes(path[i]!), message)
      }
    }),
  )
})

test.run()
