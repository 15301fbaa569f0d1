import { ZosError } from '@zos/core'
import { packageName } from '../archive/binary-package.js'
import { isVersion } from '../control/version.js'

/** A package that somebody asks for. */
export interface PackageRequest {
  readonly name: string
  /** `name/suite`: from that suite, with what it needs from there. */
  readonly suite?: string
  /** `name=version`: this version and no other. */
  readonly version?: string
  /** Who asks, as it is to be named in errors: `debian({ packages })`, `zinit`. */
  readonly by: string
}

/** Reads `name`, `name/suite` or `name=version`. Throws `DEBIAN_REQUEST`. */
export const parseRequest = (text: string, by: string): PackageRequest => {
  const wrong = (what: string) =>
    new ZosError('DEBIAN_REQUEST', `'${text.slice(0, 120)}' (${by}): ${what}`, {
      hint: "write 'name', 'name/suite' or 'name=version'",
    })
  const match = /^([^/=]+)(?:\/([^/=]+)|=([^/=]+))?$/.exec(text.trim())
  if (!match) throw wrong('this is no request for a package')
  const [, name = '', suite, version] = match
  if (!packageName.test(name)) throw wrong(`'${name}' is no package name`)
  if (suite !== undefined && !/^[a-z0-9][a-z0-9.-]*$/.test(suite)) throw wrong(`'${suite}' is no suite`)
  if (version !== undefined && !isVersion(version)) throw wrong(`'${version}' is no version`)
  return { name, ...(suite && { suite }), ...(version && { version }), by }
}

/**
 * One request a name, in the order of first mention: one that names a suite or version wins over one that names none.
 * Throws `DEBIAN_REQUEST` when two ask for different ones, naming both askers.
 */
export const mergeRequests = (requests: readonly PackageRequest[]): PackageRequest[] => {
  const merged = new Map<string, PackageRequest>()
  for (const request of requests) {
    const known = merged.get(request.name)
    if (!known || (!known.suite && !known.version)) {
      merged.set(request.name, known && !request.suite && !request.version ? known : request)
      continue
    }
    if (!request.suite && !request.version) continue
    if (known.suite !== request.suite || known.version !== request.version)
      throw new ZosError(
        'DEBIAN_REQUEST',
        `${known.by} wants ${formatRequest(known)}, ${request.by} wants ${formatRequest(request)}`,
        { hint: `let one of them name ${request.name} without a suite or version` },
      )
  }
  return [...merged.values()]
}

export const formatRequest = ({ name, suite, version }: PackageRequest): string =>
  `${name}${suite ? `/${suite}` : ''}${version ? `=${version}` : ''}`
