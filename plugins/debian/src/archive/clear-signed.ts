import { ZosError } from '@zos/core'

/** A clear-signed text (RFC 4880, section 7), taken apart. Nothing is verified here: gpgv does that on the file. */
export interface ClearSigned {
  /** What is signed, dashes unescaped. */
  readonly body: string
  /** The armored signature, with its two marks. */
  readonly signature: string
}

const begin = '-----BEGIN PGP SIGNED MESSAGE-----'
const beginSignature = '-----BEGIN PGP SIGNATURE-----'
const endSignature = '-----END PGP SIGNATURE-----'

const limit = 32 * 1024 * 1024

/**
 * Exactly one signed message and nothing beside it: text before, after or between would be read as signed though it is
 * not. Throws `DEBIAN_CLEARSIGN` naming file and line.
 */
export const parseClearSigned = (text: string, file: string): ClearSigned => {
  const wrong = (line: number, what: string) => new ZosError('DEBIAN_CLEARSIGN', `${file}:${line}: ${what}`)
  if (text.length > limit) throw wrong(1, `the file is larger than ${limit} bytes`)
  // RFC 4880: trailing blanks of a line are not part of what is signed.
  const lines = text.split('\n').map((line) => line.replace(/[ \t\r]+$/, ''))
  if (lines[0] !== begin) throw wrong(1, `expected '${begin}', found '${(lines[0] ?? '').slice(0, 60)}'`)
  let at = 1
  for (; at < lines.length && lines[at] !== ''; at++)
    if (!/^Hash: (SHA(256|384|512))(, ?SHA(256|384|512))*$/.test(lines[at]!))
      throw wrong(at + 1, `expected 'Hash: SHA256' or stronger, found '${lines[at]!.slice(0, 60)}'`)
  const body: string[] = []
  for (at++; at < lines.length && lines[at] !== beginSignature; at++) {
    const line = lines[at]!
    if (line.startsWith('- ')) body.push(line.slice(2))
    else if (line.startsWith('-')) throw wrong(at + 1, 'a line of the signed text begins with an unescaped dash')
    else body.push(line)
  }
  const start = at
  if (start >= lines.length) throw wrong(lines.length, 'the signature is missing')
  const end = lines.indexOf(endSignature, start)
  if (end < 0) throw wrong(lines.length, `'${endSignature}' is missing`)
  const armor = lines.slice(start, end + 1)
  const stray = armor.findIndex((line, index) => index > 0 && index < armor.length - 1 && line.startsWith('-'))
  if (stray > 0) throw wrong(start + stray + 1, 'a line of the signature begins with a dash')
  const after = lines.findIndex((line, index) => index > end && line !== '')
  if (after > 0) throw wrong(after + 1, 'there is text after the signature')
  return { body: body.map((line) => `${line}\n`).join(''), signature: `${armor.join('\n')}\n` }
}
