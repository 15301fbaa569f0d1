// Capsules come from other machines: whatever is in the file, a capsule or CAPSULE_INVALID comes out.
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { type Capsule, parseCapsule } from '../dist/model/capsule.js'

const digest = 'ab'.repeat(32)
const capsule: Capsule = {
  version: 1,
  config: 'demo',
  step: 'demo/thing',
  name: 'act',
  key: digest,
  executor: 'bubblewrap',
  command: ['sh', '-c', 'exit 1'],
  env: { LANG: 'C' },
  cwd: 'src',
  outputs: ['out'],
  input: { digest, blob: { sha256: digest, size: 10 }, count: 2 },
  toolchain: { identity: digest, title: 'sh 5', folders: { '/opt': digest }, spec: { tools: ['sh'] } },
  failure: { message: 'exit code 1', log: 'line\n' },
}

const judge = (text: string): Capsule | undefined => {
  try {
    return parseCapsule(text, 'failed.json')
  } catch (error) {
    assert.ok(isZosError(error), String(error))
    assert.is(error.code, 'CAPSULE_INVALID')
    assert.match(error.message, /^failed\.json: /)
    return undefined
  }
}

/** Every place of a value, as the keys that lead there. */
const placesIn = (value: unknown, path: readonly string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? [[...path], ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...path, key]))]
    : [[...path]]

const withValue = (value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown => {
  if (key === undefined) return other
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) }
  Object.assign(copy, { [key]: withValue((value as Record<string, unknown>)[key], rest, other) })
  return copy
}

test('a capsule reads back as it was', () => assert.equal(judge(JSON.stringify(capsule)), capsule))

test('a path that leads out is refused', () => {
  for (const cwd of ['/etc', '../x', 'a/../../b', 'a/./b'])
    assert.is(judge(JSON.stringify({ ...capsule, cwd })), undefined, cwd)
})

test('property: any value in any place, and any text', () => {
  const other = fc.oneof(fc.constantFrom(null, '', '..', '/', 0, -1, 1.5, true, [], {}, '\0'), fc.jsonValue())
  fc.assert(
    fc.property(fc.constantFrom(...placesIn(capsule)), other, (path, value) => {
      const found = judge(JSON.stringify(withValue(capsule, path, value)))
      if (found) {
        assert.match(found.input.blob.sha256, /^[0-9a-f]{64}$/)
        assert.ok(found.command.length > 0 && found.command.every((word) => typeof word === 'string'))
        assert.not.match(found.cwd, /^\/|(^|\/)\.\.(\/|$)/)
      }
    }),
    { numRuns: 500 },
  )
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => void judge(text)))
})

test.run()
