import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorOf } from '@zos/core/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkSignatures, dearmor, gpgvCommand, isArmored, parseGpgvStatus } from '../dist/archive/gpgv.js'
import { aptLists, hasTool, inFolder, skip } from './host.js'

const key = 'B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8'
const valid = (digest = '8', primary = key) =>
  `[GNUPG:] VALIDSIG 4CB50190207B4758A3F73A796ED0E7B82643E131 2026-07-11 1783765031 0 4 0 1 ${digest} 01 ${primary}\n`
const context = { file: 'InRelease', keyrings: ['/k.gpg'] }

test('the command takes keyrings by path only', () => {
  const { file, args } = gpgvCommand({ keyrings: ['/k.gpg', 'mine.gpg'], signed: 'InRelease' })
  assert.is(file, 'gpgv')
  assert.equal(args.slice(3), ['--keyring', '/k.gpg', '--keyring', './mine.gpg', '--', 'InRelease'])
})

test('one valid signature is enough, a wrong one is too much', () => {
  const unknown = '[GNUPG:] ERRSIG 6ED0E7B82643E131 1 8 01 1 9 X\n[GNUPG:] NO_PUBKEY 6ED0E7B82643E131\n'
  assert.equal(parseGpgvStatus(unknown + valid()), { valid: [key], unknown: ['6ED0E7B82643E131'], bad: [] })
  checkSignatures(parseGpgvStatus(unknown + valid()), context)
  const tampered = errorOf(() =>
    checkSignatures(parseGpgvStatus(`${valid()}[GNUPG:] BADSIG 6ED0E7B82643E131 x\n`), context),
  )
  assert.is(tampered.code, 'DEBIAN_SIGNATURE')
  assert.match(tampered.message, /the signature does not fit the text/)
  assert.match(
    errorOf(() => checkSignatures(parseGpgvStatus(unknown), context)).message,
    /6ED0E7B82643E131: no such key/,
  )
  assert.match(errorOf(() => checkSignatures(parseGpgvStatus(''), context)).message, /it has no signature/)
})

test('weak digests and keys that have expired or been revoked do not count', () => {
  assert.match(errorOf(() => checkSignatures(parseGpgvStatus(valid('2')), context)).message, /weak digest/)
  for (const word of ['EXPKEYSIG', 'REVKEYSIG', 'EXPSIG']) {
    const report = parseGpgvStatus(`[GNUPG:] ${word} B7C5D7D6350947F8 name\n${valid()}`)
    assert.equal(report.valid, [], word)
    assert.throws(() => checkSignatures(report, context))
  }
})

test('fingerprints narrow the keys down', () => {
  checkSignatures(parseGpgvStatus(valid()), { ...context, fingerprints: [`${key.toLowerCase()}!`] })
  const other = { ...context, fingerprints: ['A'.repeat(40)] }
  assert.match(errorOf(() => checkSignatures(parseGpgvStatus(valid()), other)).message, /valid, but not one of AAAA/)
})

test('status lines cannot be forged by a name in a key', () => {
  assert.equal(parseGpgvStatus(`[GNUPG:] GOODSIG B7C5D7D6350947F8 ${valid().trim()}\n`).valid, [])
})

test('armor: blocks in a row, and errors', () => {
  const block = (data: string) =>
    `-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\n${data}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n`
  assert.is(Buffer.from(dearmor(block('aGVs\nbG8=') + block('IQ=='), 'k.asc')).toString(), 'hello!')
  assert.ok(isArmored(Buffer.from(`\n${block('IQ==')}`)))
  assert.not(isArmored(Buffer.from([0x99, 1])))
  for (const text of ['', 'aGVsbG8=', block('no base64!'), block('IQ==').replace(/-----END.*/, '')])
    assert.is(errorOf(() => dearmor(text, 'k.asc')).code, 'DEBIAN_KEYRING')
})

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const signed = aptLists('_InRelease').find((path) => path.includes('bookworm'))
if (!hasTool('gpgv') || !existsSync(keyring) || !signed)
  skip('gpgv on real files', 'gpgv, debian-archive-keyring or apt lists are missing')
else {
  const run = (keyrings: string[], path: string) => {
    const { file, args } = gpgvCommand({ keyrings, signed: path })
    return parseGpgvStatus(spawnSync(file, args, { encoding: 'utf8' }).stderr)
  }
  test('gpgv: a real file is valid, a changed one is not', () => {
    checkSignatures(run([keyring], signed), context)
    inFolder((folder) => {
      const changed = join(folder, 'InRelease')
      writeFileSync(changed, readFileSync(signed, 'utf8').replace('Origin: Debian', 'Origin: debian'))
      assert.match(errorOf(() => checkSignatures(run([keyring], changed), context)).message, /does not fit the text/)
    })
  })
  const armored = '/etc/apt/trusted.gpg.d/debian-archive-bookworm-automatic.asc'
  if (!existsSync(armored)) skip('gpgv with an armored keyring', `${armored} is missing`)
  else
    test('gpgv: an armored keyring works once it is binary', () => {
      inFolder((folder) => {
        const binary = join(folder, 'keys.gpg')
        writeFileSync(binary, dearmor(readFileSync(armored, 'utf8'), armored))
        const report = run([binary], aptLists('_bookworm_InRelease')[0] ?? signed)
        assert.is(report.valid.length, 1, JSON.stringify(report))
      })
    })
}

test.run()
