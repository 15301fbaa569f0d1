import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ExitCode, isZosError } from '../dist/error.js'
import type { Json } from '../dist/model/canonical.js'
import { differences, LockBook, parseLock } from '../dist/model/lock.js'

const now = 1_700_000_000_999

const book = (text: string | undefined, arch = 'x86_64'): LockBook => new LockBook('zos.lock', text, arch, now)

const whole = (arch: unknown, more: object = {}): string => JSON.stringify({ version: 1, epoch: 5, arch, ...more })
const section = (pins: unknown, toolchains: unknown = {}): unknown => ({ x86_64: { pins, toolchains } })

const refused = (text: string): string => {
  try {
    parseLock(text, 'zos.lock')
  } catch (error) {
    if (!isZosError(error)) throw error
    assert.is(error.code, 'LOCK_INVALID')
    assert.is(error.exit, ExitCode.lock)
    assert.match(error.hint.join(' '), /zos update/)
    return error.message
  }
  throw new Error(`taken: ${text}`)
}

test('a new lock has the time of its making in whole seconds, and sorted text that ends with a line end', () => {
  const lock = book(undefined)
  assert.ok(lock.isNew)
  assert.is(lock.epoch, 1_700_000_000)
  lock.set('b', 'two', { request: { z: 1, a: [2, 1] }, pin: 'x' })
  lock.set('a', 'one', { request: null, pin: { y: 1, x: 2 } })
  lock.setToolchain('b: cc', { identity: '00', title: 'cc 12' })
  assert.ok(lock.isChanged)
  assert.is(
    lock.text,
    `${JSON.stringify(
      {
        version: 1,
        epoch: 1_700_000_000,
        arch: {
          x86_64: {
            pins: {
              a: { one: { pin: { x: 2, y: 1 }, request: null } },
              b: { two: { pin: 'x', request: { a: [2, 1], z: 1 } } },
            },
            toolchains: { 'b: cc': { identity: '00', title: 'cc 12' } },
          },
        },
      },
      undefined,
      2,
    )}\n`,
  )
  const again = book(lock.text)
  assert.not.ok(again.isChanged)
  assert.not.ok(again.isNew)
  assert.equal(again.entry('b', 'two'), { request: { z: 1, a: [2, 1] }, pin: 'x' })
  assert.equal(again.toolchain('b: cc'), { identity: '00', title: 'cc 12' })
  assert.is(again.digest, lock.digest)
})

test('sections of other architectures stay as they are', () => {
  const intel = book(undefined)
  intel.set('a', 'one', { request: 1, pin: 1 })
  const arm = book(intel.text, 'aarch64')
  assert.is(arm.entry('a', 'one'), undefined)
  arm.set('a', 'one', { request: 1, pin: 2 })
  arm.prune()
  const both = book(arm.text)
  assert.is(both.entry('a', 'one')?.pin, 1)
  assert.is.not(both.digest, arm.digest)
})

test('entries that were not asked for go when the lock is pruned, and no sooner', () => {
  const lock = book(undefined)
  for (const name of ['kept', 'gone']) lock.set('a', name, { request: 1, pin: name })
  lock.set('b', 'gone', { request: 1, pin: 1 })
  const next = book(lock.text)
  next.entry('a', 'kept')
  assert.not.ok(next.isChanged)
  next.prune()
  assert.ok(next.isChanged)
  assert.equal(Object.keys(parseLock(next.text, 'zos.lock').arch.x86_64?.pins ?? {}), ['a'])
  assert.is(book(next.text).entry('a', 'gone'), undefined)
  assert.is(book(next.text).entry('a', 'kept')?.pin, 'kept')
})

test('an entry that is removed is gone, and the epoch moves only when it is told to', () => {
  const lock = book(undefined)
  lock.set('a', 'one', { request: 1, pin: 1 })
  const next = new LockBook('zos.lock', lock.text, 'x86_64', now + 86_400_000)
  assert.is(next.epoch, lock.epoch)
  next.remove('a', 'one')
  next.remove('a', 'never')
  assert.is(next.entry('a', 'one'), undefined)
  next.moveEpoch(now + 86_400_000)
  assert.is(next.epoch, lock.epoch + 86_400)
})

test('names of JavaScript’s own are names like others', () => {
  const lock = book(undefined)
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.is(lock.entry('a', name), undefined)
    assert.is(lock.entry(name, 'x'), undefined)
    assert.is(lock.toolchain(name), undefined)
    lock.set(name, name, { request: 1, pin: name })
  }
  const again = book(lock.text)
  assert.is(again.entry('__proto__', '__proto__')?.pin, '__proto__')
  assert.is(again.entry('constructor', 'constructor')?.pin, 'constructor')
})

test('what is not a lock is refused, and the message says where', () => {
  assert.match(refused(''), /zos\.lock: is not JSON/)
  assert.match(refused('<<<<<<< ours\n{}'), /is not JSON/)
  assert.match(refused('[]'), /expected an object/)
  assert.match(refused('{}'), /has version nothing/)
  assert.match(refused(whole({}, { version: 2 })), /has version 2; this zos reads 1/)
  for (const epoch of [-1, 1.5, '5', null, 2 ** 32]) assert.match(refused(whole({}, { epoch })), /epoch/)
  assert.match(refused(whole([])), /arch: expected an object/)
  assert.match(refused(whole({}, { more: 1 })), /unknown member more/)
  assert.match(refused(whole({ x86_46: { pins: {}, toolchains: {} } })), /arch\.x86_46/)
  assert.match(refused(whole({ x86_64: { pins: {} } })), /arch\.x86_64/)
  assert.match(refused(whole({ x86_64: { pins: {}, toolchains: {}, more: {} } })), /arch\.x86_64: unknown member more/)
  assert.match(refused(whole(section({ a: [] }))), /arch\.x86_64\.pins\.a/)
  assert.match(refused(whole(section({ a: { b: { pin: 1 } } }))), /arch\.x86_64\.pins\.a\.b/)
  assert.match(
    refused(whole(section({ a: { b: { pin: 1, request: 1, more: 1 } } }))),
    /pins\.a\.b: unknown member more/,
  )
  assert.match(refused(whole(section({}, { cc: 5 }))), /arch\.x86_64\.toolchains\.cc/)
  assert.match(refused(whole(section({}, { cc: { identity: 1, title: '' } }))), /toolchains\.cc/)
})

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
const name = fc.string({ minLength: 1, maxLength: 8 })

test('property: what is written is read, and differences are empty where nothing differs', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name, json, json), { maxLength: 6 }), (entries) => {
      const lock = book(undefined)
      for (const [plugin, entry, request, pin] of entries) lock.set(plugin, entry, { request, pin })
      const again = book(lock.text)
      assert.is(again.text, lock.text)
      assert.is(again.digest, lock.digest)
      for (const [plugin, entry] of entries) {
        assert.equal(differences(lock.entry(plugin, entry), again.entry(plugin, entry)), [])
      }
    }),
    { numRuns: 60 },
  )
})

test('property: a flipped bit is refused, or is read as the value that it makes', () => {
  const lock = book(undefined)
  lock.set('debian', 'packages', { request: { suite: 'bookworm', packages: ['kmod'] }, pin: { kmod: { size: 12 } } })
  lock.setToolchain('rust: rustc', { identity: 'ab', title: 'rustc 1.96' })
  const bytes = Buffer.from(lock.text)
  let taken = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes)
    damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7))
    const text = damaged.toString('utf8')
    try {
      const read = book(text)
      taken++
      // Nothing of what is there is dropped in silence: not a name, not a member.
      assert.equal(JSON.parse(read.text), JSON.parse(text))
    } catch (error) {
      if (!isZosError(error)) throw error
      assert.is(error.code, 'LOCK_INVALID')
    }
  }
  assert.ok(taken > 0)
})

test('differences name the path, what was and what is', () => {
  assert.equal(differences({ a: { b: 1 }, c: 2 }, { a: { b: 2 }, c: 2 }), ['a.b: 1 → 2'])
  assert.equal(differences({ a: 1 }, { b: 1 }), ['a: 1 → nothing', 'b: nothing → 1'])
  assert.equal(differences(1, 2), ['request: 1 → 2'])
  assert.equal(differences({ p: ['x', 'y'] }, { p: ['y', 'z'] }), ['p: "x" is gone', 'p: "z" is new'])
  assert.equal(differences({ p: ['x', 'y'] }, { p: ['y', 'x'] }), ['p: another order'])
  assert.equal(differences({ p: ['x', 'x'] }, { p: ['x'] }), ['p: another number of "x"'])
  assert.equal(differences({ a: null }, { a: [] }), ['a: null → []'])
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, index]))
  assert.is(differences({}, many).length, 12)
  const [long = ''] = differences({ p: [] }, { p: ['x'.repeat(500)] })
  assert.ok(long.length < 100, long)
})

test.run()
