// The host as a toolchain: which programs, which versions, and a digest of all that decides what they do.
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import { digestOf, type Json } from '../model/canonical.js'
import type { HostToolchainSpec, Toolchain } from '../model/toolchain.js'

const searchPath = (env: Readonly<Record<string, string | undefined>>): string[] =>
  (env.PATH ?? '')
    .split(':')
    .concat('/usr/local/sbin', '/usr/sbin', '/sbin')
    .filter((folder) => folder.startsWith('/'))

/** Absolute path of a program, links kept; `undefined` where there is none. */
export const findTool = (name: string, env: Readonly<Record<string, string | undefined>>): string | undefined => {
  const candidates = name.includes('/') ? [name] : searchPath(env).map((folder) => join(folder, name))
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return statSync(path).isFile()
    } catch {
      return false
    }
  })
}

const dpkgStatus = '/var/lib/dpkg/status'

/** Versions of installed packages, from dpkg's own database (deb-822 stanzas). */
const packageVersions = (text: string, names: readonly string[]): Record<string, string> => {
  const found: Record<string, string> = {}
  for (const name of names) {
    const start = text.startsWith(`Package: ${name}\n`) ? 0 : text.indexOf(`\n\nPackage: ${name}\n`)
    if (start < 0) continue
    const end = text.indexOf('\n\n', start + 2)
    const stanza = text.slice(start, end < 0 ? undefined : end)
    const version = /^Version: (.+)$/m.exec(stanza)?.[1]
    if (version && /^Status: .* installed$/m.test(stanza)) found[name] = version
  }
  return found
}

const installedVersions = async (session: Session, names: readonly string[]): Promise<Record<string, string>> => {
  if (names.length === 0) return {}
  const status = await session.digests.digest(dpkgStatus)
  if (!status) return {}
  const key = digestOf({ packages: names, status: status.sha256 })
  const known = session.store.result('memo', key)
  if (known !== undefined) return known as Record<string, string>
  const versions = packageVersions(await readFile(dpkgStatus, 'utf8'), names)
  await session.store.setResult('memo', key, versions)
  return versions
}

const known = new WeakMap<Session, Map<string, Promise<Toolchain>>>()

/** Resolves a toolchain made of the host's tools, once a build. A tool or folder that is missing is `HOST_TOOL_MISSING`. */
export const hostToolchain = (session: Session, spec: HostToolchainSpec): Promise<Toolchain> => {
  const cache = known.get(session) ?? new Map<string, Promise<Toolchain>>()
  known.set(session, cache)
  const key = JSON.stringify(spec)
  let toolchain = cache.get(key)
  if (!toolchain) {
    toolchain = resolve(session, spec)
    cache.set(key, toolchain)
  }
  return toolchain
}

const missing = (what: string, hint: string): ZosError =>
  new ZosError('HOST_TOOL_MISSING', what, {
    hint: [hint, 'see what this config needs: zos doctor'],
    exit: ExitCode.host,
  })

const resolve = async (session: Session, spec: HostToolchainSpec): Promise<Toolchain> => {
  const tools: Record<string, string> = {}
  const identity: Record<string, Json> = {}
  for (const name of spec.tools) {
    const path = findTool(name, session.env)
    if (!path) throw missing(`the program ${name} is not there`, `install ${name}, or add its folder to PATH`)
    const blob = await session.digests.digest(realpathSync(path))
    tools[name] = path
    identity[`tool ${name}`] = blob?.sha256 ?? 'unreadable'
  }
  for (const [at, { from, identity: files }] of Object.entries(spec.folders ?? {})) {
    for (const file of files) {
      const blob = await session.digests.digest(join(from, file))
      if (!blob) throw missing(`${join(from, file)} is not there`, 'run the project’s set-up again')
      identity[`folder ${at} ${file}`] = blob.sha256
    }
  }
  const versions = await installedVersions(session, spec.packages ?? [])
  for (const name of spec.packages ?? []) {
    if (!versions[name]) throw missing(`the host package ${name} is not installed`, `apt-get install ${name}`)
    identity[`package ${name}`] = versions[name]
  }
  const folders = Object.fromEntries(Object.entries(spec.folders ?? {}).map(([at, { from }]) => [at, from]))
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return {
    identity: digestOf(identity),
    title: (packages.length > 0 ? packages : spec.tools).join(', '),
    tools,
    folders,
  }
}
