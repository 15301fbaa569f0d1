// time limit: 120 s
// Releases of kernel.org from a server of our own with the same layout: pinned by the list of sums, by a digest, and by a
// signature. Nothing is compiled: the pins are what is looked at.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project, startZos, succeed } from './zos.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-kernel-org-'))
const site = join(folder, 'site/linux/kernel/v6.x')
const copy = join(folder, 'project')
mkdirSync(site, { recursive: true })
mkdirSync(copy)
symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'))
writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')

const name = 'linux-6.12.44.tar'
writeFileSync(join(site, name), 'not the sources of Linux')
await succeed('xz', ['--keep', name], site, 20)
const sha256 = createHash('sha256')
  .update(readFileSync(join(site, `${name}.xz`)))
  .digest('hex')
writeFileSync(join(site, 'sha256sums.asc'), `-----BEGIN PGP SIGNED MESSAGE-----\n\n${sha256}  ${name}.xz\n`)

const asked: string[] = []
const server = createServer((request, response) => {
  asked.push(request.url!)
  const path = join(folder, 'site', request.url!)
  try {
    response.end(readFileSync(path))
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
const { port } = server.address() as { port: number }
test.after(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Writes a lock for a kernel from this release; gives the end of the command and the lock's text. */
const lock = async (version: string, options: object) => {
  const mirrors = [`http://127.0.0.1:${port}/`]
  const source = `kernelOrg(${JSON.stringify(version)}, ${JSON.stringify({ mirrors, ...options })})`
  writeFileSync(
    join(copy, 'zos.config.ts'),
    `import { defineConfig } from '@zos/core'
import { kernel, kernelOrg } from '@zos/kernel'
const linux = kernel({ source: ${source}, config: 'kernel.config', modules: {}, embed: 'builtin' })
export default defineConfig({ name: 'test', plugins: [linux] })
`,
  )
  rmSync(join(copy, 'zos.lock'), { force: true })
  const ended = await startZos(['lock'], copy, 60).ended
  return { ...ended, lock: ended.end === 0 ? readFileSync(join(copy, 'zos.lock'), 'utf8') : '' }
}

test('the server’s list of sums pins a release, and says when there is none', async () => {
  const found = await lock('6.12.44', {})
  assert.is(found.end, 0, found.stderr)
  assert.match(found.lock, sha256)
  assert.ok(asked.includes('/linux/kernel/v6.x/sha256sums.asc'))
  const none = await lock('6.12.45', {})
  assert.is.not(none.end, 0)
  assert.match(none.stderr, /KERNEL_VERSION .*[\s\S]*kernel\.org has no linux-6\.12\.45\.tar\.xz/)
})

test('a server that cannot be reached is named, and how to name another one', async () => {
  const none = await lock('6.12.44', { mirrors: ['http://127.0.0.1:1'] })
  assert.is.not(none.end, 0)
  assert.match(
    none.stderr,
    /KERNEL_FETCH .*[\s\S]*127\.0\.0\.1:1 .*[\s\S]*hint: name a mirror .*kernelOrg\('6\.12\.44'/,
  )
})

test('a digest in the config asks nobody', async () => {
  asked.splice(0)
  const found = await lock('6.12.44', { sha256 })
  assert.is(found.end, 0, found.stderr)
  assert.equal(
    asked.filter((url) => url.includes('sha256sums')),
    [],
  )
})

const gpg = (...args: string[]) =>
  spawnSync('gpg', ['--batch', '--quiet', '--homedir', join(folder, 'gpg'), ...args], { encoding: 'utf8' })

if (gpg('--version').status !== 0) console.log('skip kernel-org signatures: no gpg')
else {
  test('a signature by a key of the keyring pins a release; any other is an error', async () => {
    mkdirSync(join(folder, 'gpg'), { mode: 0o700 })
    for (const who of ['signer', 'other']) {
      const made = gpg('--passphrase', '', '--quick-generate-key', `${who}@example.org`, 'ed25519', 'sign', 'never')
      assert.is(made.status, 0, made.stderr)
      gpg('--output', join(copy, `${who}.gpg`), '--export', `${who}@example.org`)
    }
    gpg('--armor', '--output', join(copy, 'armored.asc'), '--export', 'signer@example.org')
    const signed = gpg(
      '-u',
      'signer@example.org',
      '--output',
      join(site, `${name}.sign`),
      '--detach-sign',
      join(site, name),
    )
    assert.is(signed.status, 0, signed.stderr)

    const found = await lock('6.12.44', { keyring: 'signer.gpg' })
    assert.is(found.end, 0, found.stderr)
    assert.match(found.lock, sha256)
    const other = await lock('6.12.44', { keyring: 'other.gpg' })
    assert.match(other.stderr, /KERNEL_SIGNATURE .*[\s\S]*has no good signature by a key of other\.gpg/)
    const armored = await lock('6.12.44', { keyring: 'armored.asc' })
    assert.match(armored.stderr, /KERNEL_KEYRING .*[\s\S]*gpg --dearmor <armored\.asc/)

    writeFileSync(join(site, name), 'something else')
    rmSync(join(site, `${name}.xz`))
    await succeed('xz', ['--keep', name], site, 20)
    assert.match((await lock('6.12.44', { keyring: 'signer.gpg' })).stderr, /KERNEL_SIGNATURE/)
    gpg('--kill')
    spawnSync('gpgconf', ['--homedir', join(folder, 'gpg'), '--kill', 'all'])
  })
}

test.run()
