// A file that was published, checked by what an image with `trust` carries.
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeProject, zosIn } from './publish-project.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-trust-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

test('what zos signs, the script of the image takes; what was changed, it does not', async () => {
  const place = join(folder, 'project')
  makeProject(place, 'folder', "{ path: 'out', trust: 'publish.pub', sign: { key: secret('PUBLISH_KEY'), days: 0 } }")
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  writeFileSync(join(place, 'publish.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const ended = await zosIn(place, ['publish'], {
    PUBLISH_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  })
  assert.is(ended.end, 0, ended.stderr)
  assert.match(ended.stdout, /TRUST_NO_OPENSSL/)

  const image = join(folder, 'image')
  mkdirSync(image)
  const unpack = `xz -dc '${join(place, 'dist/initramfs.cpio.xz')}' | cpio -idm --quiet`
  assert.is(spawnSync('sh', ['-c', unpack], { cwd: image }).status, 0)
  const script = join(image, 'usr/lib/zos/verify-manifest')
  const env = { ...process.env, ZOS_PUBLIC_KEY: join(image, 'etc/zos/publish.pub') }
  const check = (file: string) => spawnSync(script, [file], { env, encoding: 'utf8' })
  const flist = join(place, 'out/manifests/modules-6.12.1-test.fl')
  assert.equal([check(flist).status, check(flist).stderr], [0, ''])
  writeFileSync(flist, 'changed')
  assert.match(check(flist).stderr, /its size is not \d+ bytes/)
})

test('a public key that is none is an error', async () => {
  const place = join(folder, 'wrong')
  makeProject(place, 'folder', "{ path: 'out', trust: 'publish.pub' }")
  writeFileSync(join(place, 'publish.pub'), 'no key')
  const ended = await zosIn(place, ['build'])
  assert.match(ended.stderr, /^error SIGN_KEY \[folder, assemble\]/m)
})

test.run()
