// Signed manifests: what was signed is what is read, and no other bytes are.
import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { type ManifestFacts, signManifest, verifyManifest } from '../dist/format/signed-manifest.js'

const pemOf = (type: 'ed25519' | 'rsa') => {
  const { privateKey, publicKey } =
    type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 1024 }) : generateKeyPairSync('ed25519')
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
const { privateKey, publicKey } = pemOf('ed25519')
const facts: ManifestFacts = {
  ...{ names: ['vmlinuz-6.12.44.efi', 'vmlinuz.efi'], size: 38_000_000, sha256: 'ab'.repeat(32) },
  ...{ time: 1_764_136_800, expires: 1_795_672_800 },
}

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'no error'
  } catch (error) {
    assert.ok(isZosError(error), String(error))
    return error.code
  }
}

test('facts come back as they were signed', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,30}$/)
  const number = fc.integer({ min: 0, max: 2 ** 31 })
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 4 }),
      number,
      number,
      fc.option(number),
      (names, size, time, end) => {
        const signed = { ...facts, names, size, time, ...(end !== null && { expires: end }) }
        if (end === null) delete (signed as { expires?: number }).expires
        assert.equal(verifyManifest(signManifest(signed, privateKey), publicKey), signed)
      },
    ),
  )
})

test('any other byte is refused', () => {
  const text = signManifest(facts, privateKey)
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
      fc.pre(text[at] !== other)
      const changed = text.slice(0, at) + other + text.slice(at + 1)
      // The last letter of Base64 holds bits that stand for nothing.
      fc.pre(at < text.length - 5)
      assert.is.not(
        codeOf(() => verifyManifest(changed, publicKey)),
        'no error',
        changed,
      )
    }),
  )
  assert.is(
    codeOf(() => verifyManifest(`${text}\n`, publicKey)),
    'MANIFEST_FORM',
  )
  assert.is(
    codeOf(() => verifyManifest(text, pemOf('ed25519').publicKey)),
    'MANIFEST_SIGNATURE',
  )
  fc.assert(fc.property(fc.string(), (other) => codeOf(() => verifyManifest(other, publicKey)) === 'MANIFEST_FORM'))
})

test('keys of another kind and names with spaces are refused before anything is signed', () => {
  assert.is(
    codeOf(() => signManifest(facts, pemOf('rsa').privateKey)),
    'SIGN_KEY',
  )
  assert.is(
    codeOf(() => signManifest(facts, 'nothing')),
    'SIGN_KEY',
  )
  assert.is(
    codeOf(() => signManifest(facts, publicKey)),
    'SIGN_KEY',
  )
  assert.is(
    codeOf(() => signManifest({ ...facts, names: ['a b'] }, privateKey)),
    'SIGN_NAME',
  )
  assert.is(
    codeOf(() => signManifest({ ...facts, names: [] }, privateKey)),
    'SIGN_NAME',
  )
})

test.run()
