import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRef } from '@zos/core'
import { rejection, runPlugin } from '@zos/core/testing'
import { sumsTarget } from './sums-target.ts'

test('the target is a reference, and changes nothing of the image', async () => {
  const target = sumsTarget({ path: 'releases', release: '1' })
  assert.ok(isRef(target.release()))
  assert.deepEqual((await runPlugin(target)).changes, [])
})

test('a release is a folder’s name', async () => {
  assert.equal((await rejection(runPlugin(sumsTarget({ path: 'releases', release: '../1' })))).code, 'CONFIG_INVALID')
})
