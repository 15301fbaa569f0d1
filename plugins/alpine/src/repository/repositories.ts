import { type Arch, ZosError } from '@zos/core'

/** A repository as it is asked for: below the mirrors, or at an address of its own. */
export interface Repository {
  /** `v3.22/main` below the mirrors, or a whole address; without a slash at the end. */
  readonly place: string
  /** Without the `@`. */
  readonly tag?: string
}

/** Where Alpine itself is. */
export const alpineMirror = 'https://dl-cdn.alpinelinux.org/alpine'

const isAddress = (place: string): boolean => /^https?:\/\//.test(place)
const trimmed = (address: string): string => address.replace(/\/+$/, '')

/** `3.22` and `v3.22` are one folder of a mirror. */
export const branchFolder = (branch: string): string => (/^\d/.test(branch) ? `v${branch}` : branch)

/** Reads the repositories of the options, as in `/etc/apk/repositories`. One that is there twice is an error. */
export const parseRepositories = (branch: string, lines: readonly string[] = ['main', 'community']): Repository[] => {
  const found = lines.map((line): Repository => {
    const [, tag, name = ''] = /^(?:@(\S+) +)?(\S+)$/.exec(line) ?? []
    const place = isAddress(name) ? trimmed(name) : name.includes('/') ? name : `${branchFolder(branch)}/${name}`
    return { place, ...(tag !== undefined && { tag }) }
  })
  for (const [index, { place, tag }] of found.entries())
    if (found.findIndex((other) => other.place === place && other.tag === tag) !== index)
      throw new ZosError('ALPINE_REPOSITORY', `the repository ${place} is there twice`)
  return found
}

/** A line of `/etc/apk/repositories`. */
export const repositoryLine = ({ place, tag }: Repository, mirror: string): string =>
  `${tag === undefined ? '' : `@${tag} `}${isAddress(place) ? place : `${mirror}/${place}`}`

/** The mirrors, the one of the environment first. It says where this machine finds Alpine, so it is in no lock. */
export const mirrorsOf = (
  mirrors: string | readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string[] => {
  const own = typeof mirrors === 'string' ? [mirrors] : (mirrors ?? [alpineMirror])
  const { ALPINE_MIRROR: here } = env
  if (here && !isAddress(here))
    throw new ZosError('ALPINE_MIRROR', `ALPINE_MIRROR=${here}: expected an http or https address`)
  return [...new Set([...(here ? [here] : []), ...own].map(trimmed))]
}

/** Addresses of a file: below every mirror, or the one that it has. */
export const addressesOf = (place: string, mirrors: readonly string[]): string[] =>
  isAddress(place) ? [place] : mirrors.map((mirror) => `${mirror}/${place}`)

/** Alpine has the same names for architectures as the image. */
export const packagePlace = ({ place }: Repository, arch: Arch, file: string): string => `${place}/${arch}/${file}`
