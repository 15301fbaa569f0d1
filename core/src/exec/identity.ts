import { createHash } from 'node:crypto'
import { accessSync, constants, createReadStream, statSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { digestOf } from '../model/canonical.js'
import type { HostToolchainSpec, Toolchain } from '../model/toolchain.js'
import { hostPaths } from './bubblewrap.js'

export interface HostView {
  /** The user's `PATH`. */
  readonly path: string
  /** SHA-256 of a file; callers that ask often remember it by the file's inode and times. */
  digest(path: string): Promise<string>
  /** dpkg's database, `/var/lib/dpkg/status`; another file in tests. */
  readonly dpkgStatus?: string
}

/** SHA-256 of a file of any size. */
export const fileDigest = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The absolute path of a program, as a shell finds it; `undefined` where there is none. */
export const findTool = (tool: string, path: string): string | undefined => {
  const places = isAbsolute(tool)
    ? [tool]
    : path
        .split(delimiter)
        .filter(isAbsolute)
        .map((folder) => join(folder, tool))
  return places.find(isProgram)
}

const below = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

type Folders = NonNullable<HostToolchainSpec['folders']>

/** Where a path of the host lies in the sandbox, if it is in one of the folders that are shown there. */
export const placeInFolders = (path: string, folders: Folders): string | undefined => {
  const shown = Object.entries(folders).find(([, { from }]) => below(path, from))
  return shown && `${shown[0]}${path.slice(shown[1].from.length)}`
}

/** Where the sandbox shows a path of the host; `undefined` where it does not. */
const placeInSandbox = (path: string, folders: Folders): string | undefined =>
  placeInFolders(path, folders) ?? (hostPaths.some((shown) => below(path, shown)) ? path : undefined)

/** Versions of installed packages by name, out of dpkg's database (deb822; `Status: … installed`). */
export const installedVersions = (status: string, names: readonly string[]): ReadonlyMap<string, string> => {
  const versions = new Map<string, string>()
  for (const name of names) {
    for (let at = status.indexOf(`Package: ${name}\n`); at >= 0; at = status.indexOf(`Package: ${name}\n`, at + 1)) {
      if (at > 0 && status[at - 1] !== '\n') continue
      const end = status.indexOf('\n\n', at)
      const stanza = status.slice(at, end < 0 ? undefined : end)
      const version = /^Version: (.+)$/m.exec(stanza)?.[1]
      if (version === undefined || !/^Status: .* installed$/m.test(stanza)) continue
      versions.set(name, version)
      break
    }
  }
  return versions
}

const packageVersions = async (names: readonly string[], file: string): Promise<Record<string, string>> => {
  if (names.length === 0) return {}
  let status: string
  try {
    status = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    // Another distribution: the digests of the tools have to do.
    return {}
  }
  const versions = installedVersions(status, names)
  const missing = names.filter((name) => !versions.has(name))
  if (missing.length > 0) {
    throw new ZosError('HOST_PACKAGE_MISSING', `not installed on this machine: ${missing.join(', ')}`, {
      exit: ExitCode.host,
      hint: `apt-get install ${missing.join(' ')}`,
      data: { packages: missing },
    })
  }
  return Object.fromEntries([...versions].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * The host's own tools as a toolchain. Its identity is made of the tools' digests and places in the sandbox, of the
 * packages' versions, and of the named files of its folders; where these lie on the host is not part of it. Errors:
 * `HOST_TOOL_MISSING`, `HOST_PACKAGE_MISSING`, `TOOLCHAIN_HIDDEN` for a tool that the sandbox would not show.
 */
export const hostToolchain = async (spec: HostToolchainSpec, host: HostView): Promise<Toolchain> => {
  const folders = spec.folders ?? {}
  const tools: Record<string, string> = {}
  const digests: Record<string, { place: string; sha256: string }> = {}
  for (const tool of [...new Set(spec.tools)].sort()) {
    const path = findTool(tool, host.path)
    if (path === undefined) {
      throw new ZosError('HOST_TOOL_MISSING', `the program ${tool} is not there`, {
        exit: ExitCode.host,
        hint: isAbsolute(tool) ? `install what brings ${tool}` : `install ${tool}, or add its folder to PATH`,
        data: { tool },
      })
    }
    const target = await realpath(path)
    const place = placeInSandbox(path, folders)
    if (place === undefined || placeInSandbox(target, folders) === undefined) {
      throw new ZosError(
        'TOOLCHAIN_HIDDEN',
        `${path}${target === path ? '' : ` (${target})`} is not seen in the sandbox`,
        {
          exit: ExitCode.host,
          hint: `name its folder in the toolchain's folders, or put a ${tool} below /usr first in PATH`,
        },
      )
    }
    tools[tool] = place
    digests[isAbsolute(tool) ? place : tool] = { place, sha256: await host.digest(target) }
  }
  const files: Record<string, string> = {}
  for (const [to, { from, identity }] of Object.entries(folders)) {
    for (const file of identity) files[`${to}/${file}`] = await host.digest(join(from, file))
  }
  const packages = await packageVersions(spec.packages ?? [], host.dpkgStatus ?? '/var/lib/dpkg/status')
  const titles = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return {
    identity: digestOf({ host: { tools: digests, files, packages, folders: Object.keys(folders).sort() } }),
    title: (titles.length > 0 ? titles : Object.keys(tools)).join(', '),
    tools,
    folders: Object.fromEntries(Object.entries(folders).map(([to, { from }]) => [to, from])),
  }
}
