// Artifacts as the store keeps them: trees by digest, decoded when somebody asks for them.
import { ZosError } from '../error.js'
import type { Artifact } from '../model/artifact.js'
import { digestOf, type Json, normalized } from '../model/canonical.js'
import type { Blob } from '../model/entry.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'

/** A tree in the store: its Merkle digest, and the blob that holds its records. */
export interface StoredTree {
  readonly digest: string
  readonly blob: Blob
}

export interface StoredArtifact {
  readonly trees: Readonly<Record<string, StoredTree>>
  readonly files: Readonly<Record<string, Blob>>
  readonly facts: Readonly<Record<string, Json>>
}

const decoded = new WeakMap<Store, Map<string, Promise<FileTree>>>()

export const storeTree = async (store: Store, tree: FileTree): Promise<StoredTree> => {
  const blob = await store.blobs.put(tree.encode())
  const known = decoded.get(store) ?? new Map()
  decoded.set(store, known)
  known.set(blob.sha256, Promise.resolve(tree))
  return { digest: tree.digest, blob }
}

/** Decodes once a build; equal trees share memory. */
export const loadTree = (store: Store, { blob }: StoredTree): Promise<FileTree> => {
  const known = decoded.get(store) ?? new Map<string, Promise<FileTree>>()
  decoded.set(store, known)
  let tree = known.get(blob.sha256)
  if (!tree) {
    tree = store.blobs.read(blob).then((bytes) => FileTree.decode(bytes))
    known.set(blob.sha256, tree)
  }
  return tree
}

const mapValues = async <T, U>(
  from: Readonly<Record<string, T>>,
  change: (value: T) => Promise<U>,
): Promise<Record<string, U>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(from).map(async ([key, value]): Promise<[string, U]> => [key, await change(value)]),
    ),
  )

export const storeArtifact = async (store: Store, artifact: Artifact): Promise<StoredArtifact> =>
  normalized({
    trees: await mapValues(artifact.trees ?? {}, (tree) => storeTree(store, tree)),
    files: artifact.files ?? {},
    facts: artifact.facts ?? {},
  })

export const loadArtifact = async (store: Store, stored: StoredArtifact): Promise<Artifact> => ({
  trees: await mapValues(stored.trees, (tree) => loadTree(store, tree)),
  files: stored.files,
  facts: stored.facts,
})

/** What a reader of the whole artifact depends on: contents, not origins. */
export const artifactDigest = ({ trees, files, facts }: StoredArtifact): string =>
  digestOf({
    trees: Object.entries(trees)
      .map(([slot, { digest }]) => [slot, digest])
      .sort(),
    files,
    facts,
  })

const slotError = (id: string, slot: string, kind: string, has: readonly string[]): ZosError =>
  new ZosError(
    'ARTIFACT_SLOT',
    `${id} gives no ${kind} "${slot}"; it gives ${has.length > 0 ? has.join(', ') : 'none'}`,
  )

export const treeSlot = (id: string, stored: StoredArtifact, slot: string): StoredTree => {
  const tree = stored.trees[slot]
  if (!tree) throw slotError(id, slot, 'tree', Object.keys(stored.trees))
  return tree
}

export const fileSlot = (id: string, stored: StoredArtifact, slot: string): Blob => {
  const file = stored.files[slot]
  if (!file) throw slotError(id, slot, 'file', Object.keys(stored.files))
  return file
}

/** Whether everything that a result names is in the store: asked once a blob has turned out to be missing. */
export const isWhole = async (store: Store, { trees, files }: StoredArtifact): Promise<boolean> => {
  if (!Object.values(files).every((blob) => store.blobs.has(blob))) return false
  for (const tree of Object.values(trees)) if (!(await isTreeWhole(store, tree))) return false
  return true
}

export const isTreeWhole = async (store: Store, stored: StoredTree): Promise<boolean> => {
  if (!store.blobs.has(stored.blob)) return false
  for (const record of (await loadTree(store, stored)).records())
    if (record.kind === 'file' && !store.blobs.has(record.blob)) return false
  return true
}
