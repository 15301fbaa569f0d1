import { ZosError } from '@zos/core'
import { gzipMembers } from './gzip-members.js'
import { refuseAdb } from './read-apk.js'
import { checkSignature, type PublicKeys, signaturesIn } from './signature.js'
import { tarFiles } from './tar-files.js'

const limits = { members: 16, content: 512 * 1024 ** 2 }

/**
 * The text of a signed `APKINDEX.tar.gz`, and the key that signed it; the signature is over everything that follows its
 * own gzip member. Throws `APK_V3`, `APK_FORMAT`, `APK_UNTRUSTED`, `APK_SIGNATURE` and what the readers below throw.
 */
export const readIndex = async (
  bytes: Uint8Array,
  keys: PublicKeys,
  name: string,
): Promise<{ readonly text: string; readonly description: string; readonly key: string }> => {
  refuseAdb(bytes, name)
  const members = gzipMembers(bytes, limits.members, limits.content, name)
  const first = await tarFiles(members[0]!.content, name)
  const isSigned = [...first.keys()].some((file) => file.startsWith('.SIGN.'))
  const signed = isSigned ? bytes.subarray(members[0]!.end) : bytes
  const key = checkSignature(signed, signaturesIn(isSigned ? first : new Map()), keys, name)
  const rest = Buffer.concat(members.slice(1).map(({ content }) => content))
  const files = await tarFiles(rest, name)
  const index = files.get('APKINDEX')
  if (!index)
    throw new ZosError('APK_FORMAT', `${name}: no APKINDEX inside`, { hint: 'is it the index of a repository?' })
  const text = (content: Uint8Array): string => Buffer.from(content).toString('utf8')
  return { text: text(index), description: text(files.get('DESCRIPTION') ?? new Uint8Array()).trim(), key }
}
