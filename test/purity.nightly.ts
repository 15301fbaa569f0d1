// time limit: 3000 s
// The whole quickstart, compilers too, made again elsewhere and compared.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project, zos } from './zos.js'

const config = 'variants/quickstart.config.ts'

test('--verify-cache at 100 % finds nothing in the quickstart', async () => {
  await zos(['build', '-c', config], project, 1500)
  const { stdout } = await zos(['build', '-c', config, '--verify-cache', '--json'], project, 1500)
  const { verified, steps } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
  assert.is(verified.tap, steps.length)
  assert.ok(verified.action > 0, JSON.stringify(verified))
})

test.run()
