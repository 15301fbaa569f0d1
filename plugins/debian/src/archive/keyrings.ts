import { type FetchContext, type Scratch, ZosError } from '@zos/core'
import type { Archive } from './archives.js'
import { dearmor, isArmored } from './gpgv.js'

/** Keyrings as gpgv takes them, and what narrows their keys down. */
export interface Keyrings {
  /** Absolute paths. */
  readonly paths: readonly string[]
  /** As people know them, for errors. */
  readonly names: readonly string[]
  readonly fingerprints?: readonly string[]
}

const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.*'
const aptKeyrings = ['/etc/apt/trusted.gpg', '/etc/apt/trusted.gpg.d/*.gpg', '/etc/apt/trusted.gpg.d/*.asc']

/**
 * What a suite is verified with: the option's keyring, else what apt has for it, else Debian's own keyring, else all
 * that apt trusts. Armored ones are written to the scratch folder. Throws `DEBIAN_KEYRING` where there is none.
 */
export const keyringsFor = async (
  archive: Archive,
  option: string | undefined,
  ctx: FetchContext,
  scratch: Scratch,
): Promise<Keyrings> => {
  const { label, signedBy } = archive
  const usable = async (path: string, index: number): Promise<string> => {
    const text = await ctx.hostText(path)
    if (text === undefined) throw new ZosError('DEBIAN_KEYRING', `${path} cannot be read`)
    if (!isArmored(Buffer.from(text.slice(0, 4096)))) return path
    const name = `keyring-${label}-${index}.gpg`
    await scratch.write(name, dearmor(text, path))
    return `${scratch.path}/${name}`
  }
  const hostKeyrings = async (
    patterns: readonly string[],
    fingerprints?: readonly string[],
  ): Promise<Keyrings | undefined> => {
    const names = (await Promise.all(patterns.map((pattern) => ctx.hostGlob(pattern)))).flat()
    if (names.length === 0) return undefined
    return { paths: await Promise.all(names.map(usable)), names, ...(fingerprints && { fingerprints }) }
  }
  if (option !== undefined) {
    const bytes = await ctx.project.bytes(option)
    const name = `keyring-${label}.gpg`
    await scratch.write(name, isArmored(bytes) ? dearmor(Buffer.from(bytes).toString('latin1'), option) : bytes)
    return { paths: [`${scratch.path}/${name}`], names: [option] }
  }
  if (signedBy?.kind === 'key') {
    const name = `keyring-${label}.gpg`
    await scratch.write(name, dearmor(signedBy.armored, archive.from))
    return { paths: [`${scratch.path}/${name}`], names: [archive.from] }
  }
  const found =
    signedBy?.kind === 'files'
      ? await hostKeyrings(signedBy.paths)
      : signedBy?.kind === 'fingerprints'
        ? await hostKeyrings([...aptKeyrings, debianKeyring], signedBy.fingerprints)
        : ((await hostKeyrings([debianKeyring])) ?? (await hostKeyrings(aptKeyrings)))
  if (found) return found
  const looked = signedBy?.kind === 'files' ? signedBy.paths.join(', ') : `${debianKeyring}, ${aptKeyrings.join(', ')}`
  throw new ZosError('DEBIAN_KEYRING', `no keyring to verify ${label} with: there is no ${looked}`, {
    hint: 'apt-get install debian-archive-keyring, or name a keyring: debian({ keyring })',
  })
}
