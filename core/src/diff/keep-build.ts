// Keeps what `zos diff` wants to know of a finished build.
import type { Session } from '../engine/session.js'
import { storeTree } from '../engine/stored-artifact.js'
import type { Json } from '../model/canonical.js'
import type { Manifest } from '../model/manifest.js'
import { type KeptBuild, mostKept } from '../model/past-build.js'
import type { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { packageKey } from './packages.js'

/** Files above this are compared by digest alone. Bytes. */
const largestFile = 1 << 20

/** Builds of a config that are kept, newest first. */
export const keptBuilds = (store: Store, config: string): KeptBuild[] =>
  (store.result('build', config) as unknown as KeptBuild[] | undefined) ?? []

/** What `@N` may be, for an error. */
export const keptWords = (count: number): string =>
  count === 0
    ? 'no build of this config is kept here'
    : count === 1
      ? 'only @0 is kept'
      : `only @0 to @${count - 1} are kept`

export const keepBuild = async (session: Session, manifest: Manifest, tree: FileTree): Promise<void> => {
  const { store, config, packages, lock } = session
  const files: Record<string, KeptBuild['lock']> = {}
  for (const [id, artifact] of session.artifacts)
    for (const [slot, blob] of Object.entries((await artifact).files))
      if (blob.size <= largestFile) files[`${id}:${slot}`] = blob
  const build: KeptBuild = {
    at: session.now(),
    manifest,
    tree: await storeTree(store, tree),
    packages: Object.fromEntries([...packages.values()].map(({ purl, version }) => [packageKey(purl), version])),
    files,
    lock: await store.blobs.put(lock.text),
  }
  const place = `${config.name}/${config.arch}`
  const kept = [build, ...keptBuilds(store, place)].slice(0, mostKept)
  await store.setResult('build', place, kept as unknown as Json)
}
