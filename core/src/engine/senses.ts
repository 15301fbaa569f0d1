// Senses: what each look of a tap at the world saw, as a digest or short value; a later build looks again.
import { ZosError } from '../error.js'
import { hostToolchain, rootIdentity } from '../exec/toolchain.js'
import { componentOf } from '../model/artifact.js'
import { digestOf, type Json, sha256 } from '../model/canonical.js'
import type { Entry } from '../model/entry.js'
import type { HostToolchainSpec } from '../model/toolchain.js'
import type { FileTree } from '../model/tree.js'
import { contentText } from '../model/tree-node.js'
import type { Senses } from './recorder.js'
import type { Session, StoredFetched } from './session.js'
import { artifactDigest, type StoredArtifact } from './stored-artifact.js'

/** What a component gave; waits while it is being built. */
export const artifactOf = (session: Session, id: string): Promise<StoredArtifact> => {
  const artifact = session.artifacts.get(id)
  if (!artifact)
    throw new ZosError('COMPONENT_UNKNOWN', `nothing makes ${id}`, {
      hint: `components of this build: ${[...session.artifacts.keys()].sort().join(', ') || 'none'}`,
    })
  return artifact
}

export const fetchedOf = (session: Session, id: string): StoredFetched => {
  const fetched = session.fetched.get(id)
  if (!fetched) throw new ZosError('SOURCE_UNKNOWN', `no source ${id} is declared`)
  return fetched
}

const splitRef = (subject: string): { id: string; slot: string } => {
  const at = subject.lastIndexOf(':')
  return { id: subject.slice(0, at), slot: subject.slice(at + 1) }
}

/** How the image is compressed: `xz 6`. */
export const initramfsText = ({ config: { initramfs } }: Session): string =>
  `${initramfs.compression ?? 'xz'} ${initramfs.level ?? 'default'}`

export const settledOf = (session: Session, name: string): Json => session.plan?.settled.get(name) ?? []

/** Senses of what every tap may read. */
export const baseSenses = (session: Session): Senses => ({
  file: (path) => session.project.see(path),
  glob: async (pattern) => digestOf(await session.project.glob(pattern)),
  folder: async (path) => (await session.project.folder(path)).digest,
  env: (name) => session.project.env(name) ?? 'missing',
  setting: (name) =>
    name === 'initramfs' ? initramfsText(session) : String(session.settings[name as keyof Session['settings']]),
  settled: (name) => digestOf(settledOf(session, name)),
  source: (id) => {
    const { blob, tree, facts } = fetchedOf(session, id)
    return digestOf({ blob, tree: tree?.digest, facts })
  },
  artifact: async (id) => (session.artifacts.has(id) ? artifactDigest(await artifactOf(session, id)) : 'missing'),
  tree: async (subject) => {
    const { id, slot } = splitRef(subject)
    return session.artifacts.has(id) ? ((await artifactOf(session, id)).trees[slot]?.digest ?? 'missing') : 'missing'
  },
  product: async (subject) => {
    const { id, slot } = splitRef(subject)
    return session.artifacts.has(id) ? ((await artifactOf(session, id)).files[slot]?.sha256 ?? 'missing') : 'missing'
  },
  executor: () => session.flags.executor,
  // With a toolchain of its own, what the host has is another question.
  tool: async (spec) =>
    session.config.toolchain
      ? 'missing'
      : (await hostToolchain(session, JSON.parse(spec) as HostToolchainSpec)).identity,
  toolchain: async (spec) => {
    const { toolchain } = session.config
    const stored = toolchain && (await artifactOf(session, componentOf(toolchain))).trees[toolchain.slot]
    return stored ? rootIdentity(session, JSON.parse(spec) as HostToolchainSpec, stored.digest) : 'missing'
  },
})

const entryText = (entry: Entry | undefined): string => (entry ? sha256(contentText(entry)) : 'missing')

/** Senses of a tree, for taps that see one. */
export const treeSenses = (tree: FileTree): Senses => ({
  entry: (path) => entryText(tree.get(path)),
  resolve: (path) => tree.resolve(path) ?? 'missing',
  list: (path) => digestOf(tree.list(path)),
  match: (pattern) => digestOf(tree.glob(pattern).map((record) => [record.path, contentText(record)])),
  subtree: (path) => tree.subtree(path).digest,
  root: () => tree.digest,
})
