import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isZosError } from '@zos/core'
import command from './sums.js'

const outputs = [
  { name: 'a.img', sha256: 'aa' },
  { name: 'b.img', sha256: 'bb' },
]

const run = async (options, manifest = { outputs }, json = false) => {
  let printed = ''
  const out = (text) => {
    printed += text
  }
  const code = await command.run({ options, json, out, manifest: async () => manifest })
  return { code, printed }
}

test('a line an output', async () => {
  assert.deepEqual(await run({}), { code: 0, printed: 'aa  a.img\nbb  b.img\n' })
  assert.equal((await run({ only: 'b.img' })).printed, 'bb  b.img\n')
  assert.equal((await run({}, { outputs }, true)).printed, '{"a.img":"aa","b.img":"bb"}\n')
})

test('what is not there is told', async () => {
  await assert.rejects(run({}, null), (error) => isZosError(error) && error.code === 'SUMS_NOTHING')
  await assert.rejects(run({ only: 'c' }), (error) => isZosError(error) && error.code === 'SUMS_UNKNOWN')
})
