import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fetchGit, pinGit } from '../dist/builtin/git-source.js'
import type { FetchContext } from '../dist/context.js'
import { ExitCode, isZosError } from '../dist/error.js'

const offline = { offline: true, env: {} } as FetchContext

const refused = async (run: () => Promise<unknown>): Promise<void> => {
  try {
    await run()
  } catch (error) {
    if (!isZosError(error)) throw error
    assert.is(error.code, 'OFFLINE')
    assert.is(error.exit, ExitCode.fetch)
    assert.match(error.message, 'https://example.com/tool.git')
    return
  }
  throw new Error('the network was asked')
}

test('--offline asks no server for a repository', async () => {
  const source = { kind: 'git', url: 'https://example.com/tool.git', ref: 'main' }
  await refused(() => pinGit(source, offline))
  await refused(() => fetchGit({ name: 'tool', source, pin: { commit: '0'.repeat(40), tags: {} } }, offline))
})

test.run()
