import { ZosError } from '@zos/core'
import type { AptSource, SignedBy } from './apt-sources.js'

/** The two roots below which Debian keeps its pools; a lock names one of them, never a host. */
export type ArchiveLabel = 'debian' | 'debian-security'

/** Where an archive is on this machine. */
export interface Archive {
  readonly label: ArchiveLabel
  /** Roots without a trailing slash, the first is asked first. */
  readonly mirrors: readonly string[]
  /** What apt verifies it with; none: the keyring of the option, or Debian's own. */
  readonly signedBy?: SignedBy
  /** What said so, for reports: an option, a variable, `path:line`. */
  readonly from: string
}

export interface ArchiveOptions {
  /** From the option `mirror` or `DEBIAN_MIRROR`: the root with `dists/` and `pool/` in it. */
  readonly mirror?: string
  /** The same for the security archive; beside `mirror` when left out. */
  readonly securityMirror?: string
  /** Which of the two was said where. */
  readonly mirrorFrom?: string
}

/** `bookworm-security` (and `buster/updates` of old) lie in an archive of their own. */
export const archiveOfSuite = (suite: string): ArchiveLabel =>
  suite.endsWith('-security') || suite.endsWith('/updates') ? 'debian-security' : 'debian'

/** `bookworm` of `bookworm-backports`. */
export const codenameOfSuite = (suite: string): string =>
  suite.replace(/(-updates|-security|-backports|-backports-sloppy|-proposed-updates|\/updates)$/, '')

const trimmed = (uri: string): string => uri.replace(/\/+$/, '')

const isFetchable = (uri: string): boolean => /^https?:\/\//i.test(uri)

/** Debian's security archive stands beside the main one on every full mirror: `…/debian` and `…/debian-security`. */
const neighbour = (uri: string, label: ArchiveLabel): string | undefined => {
  const match = /^(.*\/)debian(-security)?$/.exec(trimmed(uri))
  return match ? `${match[1]}${label}` : undefined
}

const unique = (values: readonly string[]): string[] => [...new Set(values)]

/**
 * Where to get a suite from. An option or variable wins; else the entries of the host's apt configuration that name the
 * suite; else a suite of the same release there, or another Debian archive there, on the same mirror.
 * Throws `DEBIAN_MIRROR` naming what was looked at.
 */
export const archiveFor = (suite: string, sources: readonly AptSource[], options: ArchiveOptions): Archive => {
  const label = archiveOfSuite(suite)
  if (options.mirror !== undefined || options.securityMirror !== undefined) {
    const from = options.mirrorFrom ?? 'debian({ mirror })'
    const direct = label === 'debian' ? options.mirror : options.securityMirror
    const named = direct ?? neighbour(options.mirror ?? options.securityMirror ?? '', label)
    if (named === undefined)
      throw new ZosError('DEBIAN_MIRROR', `${from} says where one of Debian's archives is, but not where ${label} is`, {
        hint: `name both: debian({ mirror: { debian: URL, security: URL } }), or DEBIAN_MIRROR and DEBIAN_SECURITY_MIRROR`,
      })
    return { label, mirrors: [trimmed(checkedMirror(named, from))], from }
  }
  const usable = sources.filter(({ types, uris }) => types.includes('deb') && uris.some(isFetchable))
  const steps: readonly [(source: AptSource) => boolean, boolean][] = [
    [({ suites }) => suites.includes(suite), false],
    [
      ({ suites }) =>
        suites.some((name) => archiveOfSuite(name) === label && codenameOfSuite(name) === codenameOfSuite(suite)),
      false,
    ],
    [({ suites }) => suites.some((name) => codenameOfSuite(name) === codenameOfSuite(suite)), true],
    [({ uris }) => uris.some((uri) => neighbour(uri, label) === trimmed(uri)), false],
    [({ uris }) => uris.some((uri) => neighbour(uri, label) !== undefined), true],
  ]
  for (const [matches, derived] of steps) {
    const [first, ...more] = usable.filter(matches)
    if (!first) continue
    const uris = [first, ...more].flatMap((source) => source.uris).filter(isFetchable)
    const mirrors = derived ? uris.flatMap((uri) => neighbour(uri, label) ?? []) : uris
    if (mirrors.length === 0) continue
    return {
      label,
      mirrors: unique(mirrors.map(trimmed)),
      ...(first.signedBy && { signedBy: first.signedBy }),
      from: first.from,
    }
  }
  throw new ZosError(
    'DEBIAN_MIRROR',
    `no mirror with the suite ${suite} is known: ${sources.length} entries of this machine's apt configuration name no Debian archive`,
    { hint: 'name one: debian({ mirror: URL }) or DEBIAN_MIRROR=URL, the address of the folder with dists/ and pool/' },
  )
}

const checkedMirror = (mirror: string, from: string): string => {
  if (isFetchable(mirror)) return mirror
  throw new ZosError('DEBIAN_MIRROR', `${from}: '${mirror}' is no http or https address`)
}
