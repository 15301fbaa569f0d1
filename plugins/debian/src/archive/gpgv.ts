import { ZosError } from '@zos/core'

/** An external command as data. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * Verifies a clear-signed file. Its verdict is read from the status lines on standard error, not from the exit code:
 * that is 2 already when one of several signatures is by a key which is not in the keyrings.
 */
export const gpgvCommand = (input: { readonly keyrings: readonly string[]; readonly signed: string }): Command => ({
  file: 'gpgv',
  args: [
    '--status-fd=2',
    '--quiet',
    '--weak-digest=SHA1',
    // A name without a slash would be looked for in the user's own GnuPG folder.
    ...input.keyrings.flatMap((path) => ['--keyring', path.includes('/') ? path : `./${path}`]),
    '--',
    input.signed,
  ],
  env: { LC_ALL: 'C' },
})

/** What gpgv said about the signatures of one file, by the fingerprint of each primary key. */
export interface SignatureReport {
  readonly valid: readonly string[]
  /** Long key ids of signatures whose key is in none of the keyrings. */
  readonly unknown: readonly string[]
  /** Key ids of signatures that are wrong, or right but by a key that has expired or been revoked. */
  readonly bad: readonly { readonly key: string; readonly why: string }[]
}

const reasons: Readonly<Record<string, string>> = {
  BADSIG: 'the signature does not fit the text',
  EXPSIG: 'the signature has expired',
  EXPKEYSIG: 'the key has expired',
  REVKEYSIG: 'the key was revoked',
}

/** OpenPGP's numbers for SHA-256, SHA-384, SHA-512 (RFC 4880, section 9.4). */
const strongDigests = new Set(['8', '9', '10'])

/** Reads the status lines of gpgv (GnuPG's doc/DETAILS). */
export const parseGpgvStatus = (text: string): SignatureReport => {
  const valid: string[] = []
  const unknown: string[] = []
  const bad: { key: string; why: string }[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('[GNUPG:] ')) continue
    const [keyword = '', ...args] = line.slice(9).trim().split(' ')
    if (keyword === 'VALIDSIG') {
      const key = args[9] ?? args[0] ?? ''
      if (strongDigests.has(args[7] ?? '')) valid.push(key)
      else bad.push({ key, why: 'the signature uses a weak digest' })
    } else if (keyword === 'NO_PUBKEY') unknown.push(args[0] ?? '')
    else if (reasons[keyword]) bad.push({ key: args[0] ?? '', why: reasons[keyword] })
  }
  // VALIDSIG also follows EXPKEYSIG and REVKEYSIG: the signature is right, the key is not.
  const rejected = bad.map(({ key }) => key)
  return { valid: valid.filter((key) => !rejected.some((id) => id !== '' && key.endsWith(id))), unknown, bad }
}

/**
 * One signature by a known key is enough, as for apt: archives sign with the keys of several releases at once.
 * Throws `DEBIAN_SIGNATURE`; `fingerprints` narrows the keys down (apt's Signed-By with fingerprints).
 */
export const checkSignatures = (
  report: SignatureReport,
  context: { readonly file: string; readonly keyrings: readonly string[]; readonly fingerprints?: readonly string[] },
): void => {
  const { file, keyrings, fingerprints } = context
  const wrong = report.bad.find(({ why }) => why === reasons.BADSIG)
  if (wrong) throw new ZosError('DEBIAN_SIGNATURE', `${file}: ${wrong.why} (key ${wrong.key})`, { hint: tampered })
  const wanted = fingerprints?.map((print) => print.replace(/[\s!]/g, '').toUpperCase())
  if (report.valid.some((key) => wanted === undefined || wanted.includes(key))) return
  const said = [
    ...report.bad.map(({ key, why }) => `${key}: ${why}`),
    ...report.unknown.map((key) => `${key}: no such key`),
    ...report.valid.map((key) => `${key}: valid, but not one of ${wanted?.join(', ')}`),
  ]
  throw new ZosError(
    'DEBIAN_SIGNATURE',
    `${file}: no valid signature by a key of ${keyrings.join(', ') || 'any keyring'}; ${said.join('; ') || 'it has no signature'}`,
    { hint: 'install debian-archive-keyring, or name the keyring of your mirror: debian({ keyring })' },
  )
}

const tampered = 'the file was changed after it was signed: try another mirror, debian({ mirror }) or DEBIAN_MIRROR'

const armorBegin = '-----BEGIN PGP PUBLIC KEY BLOCK-----'
const armorEnd = '-----END PGP PUBLIC KEY BLOCK-----'

export const isArmored = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, 4096)).toString('latin1').trimStart().startsWith(armorBegin)

/**
 * An armored keyring as the binary one that gpgv wants (RFC 4880, section 6; the CRC is not needed, a broken key
 * verifies nothing). Throws `DEBIAN_KEYRING` naming the file.
 */
export const dearmor = (text: string, file: string): Uint8Array => {
  const wrong = (what: string) => new ZosError('DEBIAN_KEYRING', `${file}: ${what}`)
  const blocks: Uint8Array[] = []
  const lines = text.split('\n').map((line) => line.trim())
  for (let at = lines.indexOf(armorBegin); at >= 0; at = lines.indexOf(armorBegin, at + 1)) {
    const end = lines.indexOf(armorEnd, at)
    if (end < 0) throw wrong(`'${armorEnd}' is missing`)
    const empty = lines.indexOf('', at)
    const data = lines.slice(empty < 0 || empty > end ? at + 1 : empty + 1, end).filter((line) => !line.startsWith('='))
    const encoded = data.join('')
    if (encoded === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw wrong('the key block is not base64')
    blocks.push(Buffer.from(encoded, 'base64'))
  }
  if (blocks.length === 0) throw wrong(`'${armorBegin}' is missing`)
  return Buffer.concat(blocks)
}
