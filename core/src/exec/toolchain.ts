// The host as a toolchain, resolved once a build.
import type { Session } from '../engine/session.js'
import type { HostToolchainSpec, Toolchain } from '../model/toolchain.js'
import type { FileTree } from '../model/tree.js'
import { fileDigest, hostToolchain as resolve } from './identity.js'
import { treeIdentity, treeToolchain } from './tree-toolchain.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The user's PATH, and where Debian keeps the administrator's tools: depmod is not on a user's PATH. */
export const toolPath = (env: Environment): string =>
  [...(env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':')

/** The question that a toolchain of this build is the answer to. */
export const specOf = (toolchain: Toolchain): HostToolchainSpec =>
  specs.get(toolchain) ?? { tools: Object.keys(toolchain.tools) }

const specs = new WeakMap<Toolchain, HostToolchainSpec>()
const known = new WeakMap<Session, Map<string, Promise<Toolchain>>>()

/** A tree as the toolchain of this build; `title` names what made it. */
export const rootToolchain = async (
  session: Session,
  spec: HostToolchainSpec,
  tree: FileTree,
  title: string,
): Promise<Toolchain> => {
  const made = await treeToolchain(tree, title, spec, digestIn(session))
  specs.set(made, spec)
  return made
}

/** What `rootToolchain` would have as its identity. */
export const rootIdentity = (session: Session, spec: HostToolchainSpec, digest: string): Promise<string> =>
  treeIdentity(digest, spec, digestIn(session))

const digestIn =
  ({ digests }: Session) =>
  async (path: string): Promise<string> =>
    (await digests.digest(path))?.sha256 ?? fileDigest(path)

/** The host's own tools as a toolchain; digests of unchanged files are remembered. */
export const hostToolchain = (session: Session, spec: HostToolchainSpec): Promise<Toolchain> => {
  const cache = known.get(session) ?? new Map<string, Promise<Toolchain>>()
  known.set(session, cache)
  const key = JSON.stringify(spec)
  let toolchain = cache.get(key)
  if (!toolchain) {
    // A program that appears earlier on PATH, or another package, is another toolchain.
    for (const folder of toolPath(session.env).split(':')) if (folder.startsWith('/')) session.digests.watch(folder)
    session.digests.watch('/var/lib/dpkg/status')
    toolchain = resolve(spec, { path: toolPath(session.env), digest: digestIn(session) }).then((made) => {
      specs.set(made, spec)
      return made
    })
    cache.set(key, toolchain)
  }
  return toolchain
}
