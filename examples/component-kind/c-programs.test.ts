import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rejection, runPlugin, treeOf } from '@zos/core/testing'
import { cPrograms } from './c-programs.ts'

test('each folder becomes a program', async () => {
  const ran = await runPlugin(cPrograms({ programs: { hello: 'src' } }), {
    project: { 'src/hello.c': 'int main(void) { return 0; }\n' },
    run: (_action, blobs) => treeOf({ program: 'compiled' }, blobs),
  })
  assert.deepEqual(ran.changes, ['+ /usr/bin/hello file 0755'])
  assert.equal(ran.text('/usr/bin/hello'), 'compiled')
  assert.equal(ran.actions[0]?.name, 'gcc hello')
})

test('a name that is no file name is refused', async () => {
  assert.equal((await rejection(runPlugin(cPrograms({ programs: { '../x': 'src' } })))).code, 'CONFIG_INVALID')
})
