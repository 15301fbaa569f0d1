// Releases of kernel.org: `v6.x/linux-6.12.44.tar.xz`, beside it `.tar.sign` (a signature of the uncompressed archive) and
// `sha256sums.asc` (https://www.kernel.org/signature.html).
import {
  type Blob,
  type FetchContext,
  type Fetched,
  isZosError,
  type Json,
  type PinnedSource,
  ZosError,
} from '@zos/core'
import { type KernelOrgSource, releaseFolder, tarballName } from './kernel-source.js'

/** Larger than any release so far, in bytes. */
const maxSize = 1024 ** 3

const urls = ({ mirrors, version }: KernelOrgSource, file: string): string[] =>
  mirrors.map((mirror) => `${mirror.replace(/\/+$/, '')}/${releaseFolder(version)}/${file}`)

/** What to do where kernel.org cannot be reached. */
const download = async (
  source: KernelOrgSource,
  file: string,
  options: Parameters<FetchContext['download']>[1],
  ctx: FetchContext,
): Promise<Blob> => {
  try {
    return await ctx.download(urls(source, file), options)
  } catch (error) {
    if (!isZosError(error) || error.code !== 'FETCH_HTTP') throw error
    throw new ZosError('KERNEL_FETCH', error.message, {
      cause: error,
      subject: file,
      exit: error.exit,
      data: error.data,
      hint: `name a mirror you can reach: kernelOrg('${source.version}', { mirrors: ['https://…/pub'] })`,
    })
  }
}

/** The digest of a release: what its config says, what a signature vouches for, or what the server's list says. */
export const pinKernelOrg = async (source: KernelOrgSource, ctx: FetchContext): Promise<Json> => {
  if (source.sha256 !== undefined) return null
  const file = tarballName(source.version)
  if (source.keyring !== undefined) {
    const tarball = await download(source, file, { maxSize }, ctx)
    await checkSignature(source, source.keyring, tarball, ctx)
    return { sha256: tarball.sha256 }
  }
  const list = await download(source, 'sha256sums.asc', { maxSize: 16 * 1024 ** 2 }, ctx)
  const sha256 = sumOf(new TextDecoder().decode(await ctx.blobs.read(list)), file)
  if (sha256 !== undefined) return { sha256 }
  throw new ZosError(
    'KERNEL_VERSION',
    `kernel.org has no ${file}: it is not in ${releaseFolder(source.version)}/sha256sums.asc`,
    {
      hint: 'https://www.kernel.org lists the releases; a version has two or three numbers: 6.12.44',
    },
  )
}

export const fetchKernelOrg = async ({ source, pin }: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const release = source as KernelOrgSource
  const sha256 = release.sha256 ?? (pin as { sha256: string }).sha256
  return { blob: await download(release, tarballName(release.version), { sha256, maxSize }, ctx) }
}

/** The digest of a file in a list as `sha256sum` writes it; lines of a signature around it do not matter. */
export const sumOf = (list: string, file: string): string | undefined => {
  for (const line of list.split('\n')) {
    const [, sha256, name] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line.trimEnd()) ?? []
    if (name === file) return sha256
  }
  return undefined
}

/** Verifies the detached signature of the uncompressed archive with the keys of the keyring alone. */
const checkSignature = async (
  source: KernelOrgSource,
  keyring: string,
  tarball: Blob,
  ctx: FetchContext,
): Promise<void> => {
  const file = tarballName(source.version).replace(/\.xz$/, '')
  const keys = await ctx.project.bytes(keyring)
  if (Buffer.from(keys.subarray(0, 64)).toString('latin1').trimStart().startsWith('-----BEGIN PGP'))
    throw new ZosError('KERNEL_KEYRING', `${keyring} is armored, gpgv reads binary keyrings`, {
      hint: `gpg --dearmor <${keyring} >keys.gpg`,
    })
  const signature = await download(source, `${file}.sign`, { maxSize: 1024 ** 2 }, ctx)
  const scratch = await ctx.scratch()
  await scratch.write('keys.gpg', keys)
  await scratch.write('signature', signature)
  await scratch.write('linux.tar.xz', tarball)
  ctx.progress(`checking the signature of ${file}`)
  const env = { LC_ALL: 'C', GNUPGHOME: scratch.path }
  await ctx.run({ file: 'xz', args: ['--decompress', 'linux.tar.xz'], env })
  try {
    await ctx.run({ file: 'gpgv', args: ['--keyring', './keys.gpg', 'signature', 'linux.tar'], env })
  } catch (cause) {
    if (!isZosError(cause) || cause.code !== 'PROCESS_FAILED') throw cause
    throw new ZosError('KERNEL_SIGNATURE', `${file} has no good signature by a key of ${keyring}\n${cause.message}`, {
      cause,
      hint: 'keys of those who sign releases: gpg --locate-keys torvalds@kernel.org gregkh@kernel.org, then gpg --export',
    })
  }
}
