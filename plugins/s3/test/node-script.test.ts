// The script by which a node checks a file: run by a real shell with a real openssl, against manifests that zos signed.
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signManifest } from '@zos/core/format'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeScript } from '../dist/node-script.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-node-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const key = join(folder, 'publish.pub')
writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }).toString())
const now = Math.floor(Date.now() / 1000)

const script = join(folder, 'verify-manifest')
const writeScript = (epoch: number): void => {
  writeFileSync(script, nodeScript({ key, epoch }))
  chmodSync(script, 0o755)
}

const file = join(folder, 'modules.fl')
const content = Buffer.alloc(100_000, 'zos')
const facts = {
  ...{ names: ['other.fl', 'modules.fl'], size: content.length, time: now },
  sha256: createHash('sha256').update(content).digest('hex'),
}

const shells: readonly (readonly string[])[] = [
  ['dash'],
  ...(spawnSync('busybox', ['true']).status === 0 ? [['busybox', 'sh']] : []),
]
if (shells.length === 1) console.log('skip the script under busybox: busybox is not there')

/** What each shell says of the file; all have to say the same. */
const verdict = (manifest: string, bytes: Uint8Array = content): string => {
  writeFileSync(file, bytes)
  writeFileSync(`${file}.manifest`, manifest)
  const said = shells.map(([shell = '', ...words]) => {
    const { status, stderr } = spawnSync(shell, [...words, script, file], { encoding: 'utf8' })
    return status === 0 ? `ok${stderr}` : stderr.trim().replace(`verify-manifest: ${file}: `, '')
  })
  assert.is(new Set(said).size, 1, said.join('\n'))
  return said[0]!
}

test('a file that is right is taken; one that is not, is not', () => {
  writeScript(0)
  const manifest = signManifest(facts, pem)
  assert.is(verdict(manifest), 'ok')
  const changed = Buffer.from(content)
  changed[7]! ^= 1
  assert.is(verdict(manifest, changed), 'its content is not what was signed')
  assert.match(verdict(manifest, content.subarray(1)), /^its size is not/)
  assert.match(verdict(manifest.replace('size 1', 'size 2')), /^the signature of its manifest/)
  assert.match(verdict(manifest.replace('time ', 'extra x\ntime ')), /^the signature of its manifest/)
  assert.is(verdict(`${manifest}size 5\n`), 'ok', 'what follows the signature does not count')
  assert.match(verdict(''), /^the signature of its manifest/)
  assert.is(verdict(signManifest({ ...facts, names: ['other.fl'] }, pem)), 'its manifest is for other.fl')
  assert.match(verdict('x'.repeat(20_000)), /too large/)
  const stranger = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  assert.match(verdict(signManifest(facts, stranger)), /^the signature of its manifest/)
})

test('expiry counts once the clock is past the build', () => {
  const expired = signManifest({ ...facts, expires: now - 10 }, pem)
  writeScript(now - 1000)
  assert.match(verdict(expired), /has expired/)
  assert.is(verdict(signManifest({ ...facts, expires: now + 1000 }, pem)), 'ok')
  writeScript(now + 1000)
  assert.is(verdict(expired), 'ok', 'the clock is not set yet')
})

test('without key, manifest or openssl there is no trust', () => {
  writeScript(0)
  rmSync(`${file}.manifest`)
  const run = (env: NodeJS.ProcessEnv) => spawnSync('/bin/dash', [script, file], { encoding: 'utf8', env })
  assert.match(run(process.env).stderr, /it has no signed manifest/)
  assert.match(run({ ...process.env, ZOS_PUBLIC_KEY: '/nowhere' }).stderr, /there is no public key/)
  assert.match(run({ PATH: folder }).stderr, /no openssl/)
})

test.run()
