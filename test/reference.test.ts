// docs/reference.md is what the code says.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project } from './zos.js'

test('the reference is up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(project, 'scripts/reference.mjs'), '--check'], {
    encoding: 'utf8',
  })
  assert.is(status, 0, stderr)
})

test.run()
