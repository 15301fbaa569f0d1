import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withFetching } from '../dist/cli/command-fetch.js'
import { isZosError } from '../dist/error.js'
import { serve } from './http-server.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-refresh-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const cli = {
  words: [],
  cwd: folder,
  env: { ZOS_STORE: join(folder, 'store') },
  isTerminal: false,
  signal: new AbortController().signal,
  out: () => undefined,
  err: () => undefined,
  now: () => Date.now(),
}
const settings = { arch: 'x86_64', mode: 'debug', name: '', epoch: 0 } as const
const refreshed = (...urls: string[]): Promise<string> =>
  withFetching(cli, folder, settings, 'test', async (ctx) =>
    Buffer.from(await ctx.blobs.read(await ctx.refresh(urls))).toString(),
  )

test('a file that may change is sent only when it did', async () => {
  let content = 'one'
  const server = await serve((request, response) => {
    const etag = `"${content}"`
    const isKnown = request.headers['if-none-match'] === etag
    response.writeHead(isKnown ? 304 : 200, { etag }).end(isKnown ? undefined : content)
  })
  try {
    assert.is(await refreshed(`${server.url}/index`), 'one')
    assert.is(await refreshed(`${server.url}/index`), 'one')
    content = 'two'
    assert.is(await refreshed(`${server.url}/index`), 'two')
    assert.equal(
      server.headers.map((headers) => headers['if-none-match']),
      [undefined, '"one"', '"one"'],
    )
  } finally {
    await server.close()
  }
})

test('a server without entity tags sends it each time', async () => {
  const server = await serve((_, response) => response.end('plain'))
  try {
    assert.is(await refreshed(server.url), 'plain')
    assert.is(await refreshed(server.url), 'plain')
    assert.equal(
      server.headers.map((headers) => headers['if-none-match']),
      [undefined, undefined],
    )
  } finally {
    await server.close()
  }
})

test('the next mirror is asked; when none has it, the error has all of them', async () => {
  const missing = await serve((_, response) => response.writeHead(404).end())
  const there = await serve((_, response) => response.end('there'))
  try {
    assert.is(await refreshed(`${missing.url}/a`, `${there.url}/a`), 'there')
    try {
      await refreshed(`${missing.url}/a`, `${missing.url}/b`)
      assert.unreachable()
    } catch (error) {
      assert.ok(isZosError(error), String(error))
      assert.is(error.code, 'FETCH_HTTP')
      assert.is(error.data.status, 404)
      assert.match(error.message, /none of 2 mirrors gave it\n.*\/a: answered 404.*\n.*\/b: answered 404/)
    }
  } finally {
    await missing.close()
    await there.close()
  }
})

test.run()
