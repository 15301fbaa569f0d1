import { createPublicKey, createSign, createVerify, type KeyObject } from 'node:crypto'
import { ZosError } from '@zos/core'

/** Public keys by file name (`alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub`), as PEM text. */
export type PublicKeys = ReadonlyMap<string, string>

/** A signature file of an APK or index: `.SIGN.RSA.NAME` is over SHA-1, `.SIGN.RSA256.NAME` over SHA-256. */
export interface Signature {
  readonly algorithm: keyof typeof algorithms
  readonly key: string
  readonly bytes: Uint8Array
}

const algorithms = { RSA: 'RSA-SHA1', RSA256: 'RSA-SHA256', RSA512: 'RSA-SHA512' } as const
const fileName = /^\.SIGN\.(RSA|RSA256|RSA512)\.([^/]+)$/

/** Reads the signatures out of the files of a signature segment; other files there are none. */
export const signaturesIn = (files: ReadonlyMap<string, Uint8Array>): Signature[] =>
  [...files].flatMap(([name, bytes]) => {
    const match = fileName.exec(name)
    return match ? [{ algorithm: match[1] as Signature['algorithm'], key: match[2]!, bytes }] : []
  })

const publicKey = (name: string, pem: string): KeyObject => {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // Said below.
  }
  throw new ZosError('APK_KEY', `the key ${name} is no RSA public key in PEM`, {
    hint: 'a key begins with -----BEGIN PUBLIC KEY-----',
  })
}

/**
 * Checks that a known key signed these bytes, and gives its name. Of several signatures one by a known key has to be
 * there, and every one by a known key has to be right: throws `APK_UNTRUSTED`, `APK_SIGNATURE`.
 */
export const checkSignature = (
  signed: Uint8Array,
  signatures: readonly Signature[],
  keys: PublicKeys,
  name: string,
): string => {
  let by: string | undefined
  for (const { algorithm, key, bytes } of signatures) {
    const pem = keys.get(key)
    if (pem === undefined) continue
    if (!createVerify(algorithms[algorithm]).update(signed).verify(publicKey(key, pem), bytes))
      throw new ZosError('APK_SIGNATURE', `${name}: its signature by ${key} is wrong`, {
        hint: 'it was changed after it was signed, or damaged on the way: take another mirror',
      })
    by ??= key
  }
  if (by !== undefined) return by
  const found = signatures.length > 0 ? `signed by ${signatures.map(({ key }) => key).join(', ')}` : 'not signed'
  const known = keys.size > 0 ? [...keys.keys()].sort().join(', ') : 'none'
  throw new ZosError('APK_UNTRUSTED', `${name} is ${found}; trusted keys: ${known}`, {
    hint: "name the folder of the repository's public keys: alpine({ keys: 'config/keys' })",
  })
}

/** A private key with the name that its public half has in `/etc/apk/keys`. */
export interface SigningKey {
  /** `name.rsa.pub`. */
  readonly name: string
  /** PEM. */
  readonly privateKey: string
  /** `RSA` is what every apk-tools reads; `RSA256` where nothing else is said. */
  readonly algorithm?: Signature['algorithm']
}

/** The file of a signature segment that signs these bytes. */
export const signatureFile = (signed: Uint8Array, key: SigningKey): { name: string; bytes: Uint8Array } => {
  const { algorithm = 'RSA256' } = key
  try {
    const bytes = createSign(algorithms[algorithm]).update(signed).sign(key.privateKey)
    return { name: `.SIGN.${algorithm}.${key.name}`, bytes }
  } catch (cause) {
    throw new ZosError('APK_KEY', `the key for ${key.name} cannot sign: ${(cause as Error).message}`, {
      cause,
      hint: 'expected an RSA private key in PEM without a passphrase',
    })
  }
}
