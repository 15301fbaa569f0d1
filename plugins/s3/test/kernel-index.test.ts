// The index of kernels under publishers that race, on servers with and without conditional writes.
import { isZosError, type ObjectStore, ZosError } from '@zos/core'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { pruneKernels, remakeIndex } from '../dist/kernel-index.js'

interface Kept {
  readonly bytes: Uint8Array
  readonly etag: string
  readonly modified: number
}

/** Whether a server looks at the condition of a write: yes, not at all, or refuses the request. */
type Conditions = 'kept' | 'ignored' | 'refused'

/** A bucket in memory; every request waits for its turn, so that a test decides in which order they come. */
const bucket = (conditions: Conditions, turn: () => Promise<void>) => {
  const objects = new Map<string, Kept>()
  let writes = 0
  const store = {
    url: (key = '') => `mem://${key}`,
    put: async (key, content, { ifAbsent, ifMatch } = {}) => {
      await turn()
      const isConditional = ifAbsent || ifMatch !== undefined
      if (isConditional && conditions === 'refused') throw new ZosError('OBJECTS_UNSUPPORTED', 'no')
      const there = objects.get(key)
      if (conditions === 'kept' && ((ifAbsent && there) || (ifMatch !== undefined && there?.etag !== ifMatch)))
        throw new ZosError('OBJECT_CHANGED', 'late')
      writes++
      objects.set(key, { bytes: Buffer.from(content as string), etag: `e${writes}`, modified: writes })
      return { etag: `e${writes}` }
    },
    read: async (key) => {
      await turn()
      return objects.get(key)
    },
    list: async function* (prefix = '') {
      await turn()
      for (const [key, { bytes, etag, modified }] of [...objects])
        if (key.startsWith(prefix)) yield { key, size: bytes.length, etag, modified }
    },
    remove: async (key) => {
      await turn()
      objects.delete(key)
    },
    head: async () => undefined,
    get: async function* () {},
    close: () => undefined,
  } satisfies ObjectStore
  const text = (key: string): string => Buffer.from(objects.get(key)!.bytes).toString()
  return { store: store as ObjectStore, objects, text }
}

/** Requests of all publishers go on one at a time, in an order that the numbers say. */
const scheduler = (order: readonly number[]) => {
  const waiting: (() => void)[] = []
  let at = 0
  let isPlanned = false
  const next = (): void => {
    isPlanned = false
    const pick = order.length === 0 ? 0 : order[at++ % order.length]!
    waiting.splice(pick % waiting.length, 1)[0]!()
    if (waiting.length > 0) plan()
  }
  const plan = (): void => {
    if (isPlanned) return
    isPlanned = true
    setImmediate(next)
  }
  return (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve)
      plan()
    })
}

for (const conditions of ['kept', 'ignored', 'refused'] as const)
  test(`no order of requests loses a kernel; conditions ${conditions}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { maxLength: 60 }), fc.integer({ min: 2, max: 4 }), async (order, count) => {
        const { store, text } = bucket(conditions, scheduler(order))
        const names = Array.from({ length: count }, (_, index) => `vmlinuz-${index}.efi`)
        await Promise.all(
          names.map(async (name) => {
            await store.put(`kernel/${name}`, 'x')
            await remakeIndex(store, 'kernel', 0)
          }),
        )
        assert.equal(text('kernel/kernels.txt').split('\n').filter(Boolean).sort(), names)
        assert.equal(JSON.parse(text('kernel/kernels.json')).kernels.sort(), names)
      }),
      { numRuns: 60 },
    )
  })

test('newest first, only kernels, in both forms', async () => {
  const { store, text } = bucket('kept', async () => undefined)
  for (const key of ['b.efi', 'a.efi', 'a.efi.manifest', 'deep/c.efi', 'readme']) await store.put(`k/${key}`, 'x')
  assert.equal(await remakeIndex(store, 'k', 1_735_992_000), ['a.efi', 'b.efi'])
  assert.is(text('k/kernels.txt'), 'a.efi\nb.efi\n')
  assert.is(text('k/kernels.json'), '{"kernels":["a.efi","b.efi"],"updated":"2025-01-04T12:00:00Z","count":2}\n')
  const { etag } = (await store.read('k/kernels.json', { limit: 1 }))!
  await remakeIndex(store, 'k', 1_735_992_001)
  assert.is((await store.read('k/kernels.json', { limit: 1 }))!.etag, etag, 'an index that is right stays')
})

test('what is removed is forgotten first, and the newest stay', async () => {
  const log: string[] = []
  const { store, objects, text } = bucket('kept', async () => undefined)
  for (const name of ['1.efi', '2.efi', '3.efi']) await store.put(`k/${name}`, 'x')
  await store.put('k/1.efi.manifest', 'x')
  await remakeIndex(store, 'k', 0)
  const remove = store.remove
  store.remove = async (key) => {
    log.push(text('k/kernels.txt'))
    await remove(key)
  }
  assert.equal(await pruneKernels(store, 'k', 0, 2), ['1.efi'])
  assert.ok(log.every((index) => index === '3.efi\n2.efi\n'))
  assert.equal([...objects.keys()].sort(), ['k/2.efi', 'k/3.efi', 'k/kernels.json', 'k/kernels.txt'])
  assert.equal(await pruneKernels(store, 'k', 0, 2), [])
})

test('an index that others write without end is an error', async () => {
  const { store } = bucket('kept', async () => undefined)
  await store.put('k/1.efi', 'x')
  store.put = async () => {
    throw new ZosError('OBJECT_CHANGED', 'late')
  }
  await remakeIndex(store, 'k', 0).then(
    () => assert.unreachable(),
    (error) => assert.ok(isZosError(error) && error.code === 'INDEX_RACE'),
  )
})

test.run()
