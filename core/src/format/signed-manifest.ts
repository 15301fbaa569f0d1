// Signed manifests: who published a file, as what, and until when. Text of one fact a line, so that a shell can read it:
//   zos manifest 1 / name NAME … / size BYTES / sha256 HEX / time SECONDS / expires SECONDS|never / signature BASE64
// The Ed25519 signature (RFC 8032) covers every byte before its own line.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { ExitCode, ZosError } from '../error.js'

export interface ManifestFacts {
  /** The file's names, the one it is published under first. */
  readonly names: readonly string[]
  /** Bytes. */
  readonly size: number
  readonly sha256: string
  /** When it was signed, in seconds since 1970. */
  readonly time: number
  /** When it stops to hold, in seconds since 1970; `undefined`: never. */
  readonly expires?: number
}

/** Bytes of a manifest that are read; a real one has some 300. */
export const manifestLimit = 16_384

const keyError = (what: string, hint: string, cause?: unknown): ZosError =>
  new ZosError('SIGN_KEY', what, { hint, cause, exit: ExitCode.config })

const ed25519 = (make: () => KeyObject, kind: 'private' | 'public'): KeyObject => {
  const hint = {
    private: 'make one: openssl genpkey -algorithm ed25519 -out publish.key',
    public: 'take it from the private key: openssl pkey -in publish.key -pubout -out publish.pub',
  }[kind]
  let key: KeyObject
  try {
    key = make()
  } catch (cause) {
    throw keyError(`this is no ${kind} key in PEM`, hint, cause)
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw keyError(`a key of type ${key.asymmetricKeyType}; expected ed25519`, hint)
  return key
}

const body = ({ names, size, sha256, time, expires }: ManifestFacts): string =>
  [
    'zos manifest 1',
    ...names.map((name) => `name ${name}`),
    `size ${size}`,
    `sha256 ${sha256}`,
    `time ${time}`,
    `expires ${expires ?? 'never'}`,
    '',
  ].join('\n')

const nameForm = /^[A-Za-z0-9._+~-][A-Za-z0-9._+~/-]{0,254}$/

/** Signs facts with a private key in PEM; gives the manifest's text. What is wrong with the key is `SIGN_KEY`. */
export const signManifest = (facts: ManifestFacts, privateKey: string): string => {
  const odd = facts.names.find((name) => !nameForm.test(name))
  if (odd !== undefined || facts.names.length === 0)
    throw new ZosError('SIGN_NAME', `${JSON.stringify(odd ?? '')} cannot be signed`, {
      hint: 'names are of letters, digits and ._+~-',
    })
  const text = body(facts)
  const key = ed25519(() => createPrivateKey(privateKey), 'private')
  return `${text}signature ${sign(null, Buffer.from(text), key).toString('base64')}\n`
}

const form =
  /^zos manifest 1\n((?:name [^\n]{1,255}\n){1,16})size (\d{1,15})\nsha256 ([0-9a-f]{64})\ntime (\d{1,12})\nexpires (\d{1,12}|never)\nsignature ([A-Za-z0-9+/]{86}==)\n$/

/**
 * Checks the signature of a manifest with a public key in PEM, and gives its facts. `MANIFEST_FORM`: it is none;
 * `MANIFEST_SIGNATURE`: another key signed it, or it was changed. That it has expired is for the caller to judge.
 */
export const verifyManifest = (text: string, publicKey: string): ManifestFacts => {
  const key = ed25519(() => createPublicKey(publicKey), 'public')
  const [, names = '', size, sha256 = '', time, expires, signature = ''] = form.exec(text) ?? []
  if (signature === '') throw new ZosError('MANIFEST_FORM', 'this is no signed manifest', { exit: ExitCode.fetch })
  const signed = text.slice(0, text.lastIndexOf('signature '))
  if (!verify(null, Buffer.from(signed), key, Buffer.from(signature, 'base64')))
    throw new ZosError('MANIFEST_SIGNATURE', 'the signature is not that of this key', {
      hint: 'another key signed it, or somebody changed it; take the public key from whom you trust',
      exit: ExitCode.fetch,
    })
  return {
    names: names
      .trimEnd()
      .split('\n')
      .map((line) => line.slice('name '.length)),
    size: Number(size),
    sha256,
    time: Number(time),
    ...(expires !== 'never' && { expires: Number(expires) }),
  }
}

/** A public key in PEM, checked and written in one form. */
export const publicKeyOf = (pem: string): string =>
  ed25519(() => createPublicKey(pem), 'public')
    .export({ type: 'spki', format: 'pem' })
    .toString()
