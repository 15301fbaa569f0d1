// A build, output folder or image whose bytes are looked at.
import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { keptWords } from '../diff/keep-build.js'
import { ExitCode, ZosError } from '../error.js'
import { readManifest } from '../io/output-folder.js'
import type { Json } from '../model/canonical.js'
import type { ManifestOutput } from '../model/manifest.js'
import type { KeptBuild } from '../model/past-build.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { type ArchiveShares, archiveShares } from './archive-shares.js'
import type { OriginOf } from './breakdown.js'

export interface SizedBuild {
  readonly title: string
  readonly outputs: readonly Pick<ManifestOutput, 'name' | 'size'>[]
  /** Name of the output that is taken apart. */
  readonly archive: string
  readonly shares: ArchiveShares
  readonly originOf: OriginOf
}

const wrong = (name: string, what: string): ZosError =>
  new ZosError('SIZE_WHAT', `${name}: ${what}`, {
    hint: ['@0 is the last build, @1 the one before; or name an output folder or an image', 'zos size @0 --against @1'],
    exit: ExitCode.usage,
  })

/** Shares of an archive by its digest: taken apart once. */
export const rememberedShares = async (
  store: Store,
  sha256: string,
  file: () => string,
  shown: string,
): Promise<ArchiveShares> => {
  const key = `shares-1 ${sha256}`
  const known = store.result('size', key) as ArchiveShares | undefined
  if (known) return known
  const shares = await archiveShares(file(), shown)
  await store.setResult('size', key, shares as unknown as Json)
  return shares
}

/** Who put a file; directories are many plugins' and nobody's. */
export const originIn =
  (tree: FileTree): OriginOf =>
  (path) => {
    const entry = tree.get(path)
    return entry?.kind === 'directory' ? undefined : entry?.origin
  }

const archiveOf = (outputs: readonly ManifestOutput[], name: string): ManifestOutput => {
  const found = outputs.find(({ format }) => format === 'initramfs')
  if (found) return found
  throw wrong(name, 'it has no initramfs')
}

/** A kept build: `@0` is the last. */
export const keptSizes = async (
  store: Store,
  builds: readonly KeptBuild[],
  name: string,
  folder: string,
): Promise<SizedBuild> => {
  const build = builds[Number(name.slice(1))]
  if (!build) {
    const kept = keptWords(builds.length)
    throw wrong(name, kept)
  }
  const archive = archiveOf(build.manifest.outputs, name)
  const file = (): string => {
    const stored = store.blobs.path(archive)
    if (existsSync(stored)) return stored
    const same = readManifest(folder)?.outputs.find(({ sha256 }) => sha256 === archive.sha256)
    if (same && existsSync(join(folder, same.name))) return join(folder, same.name)
    throw wrong(name, `its ${archive.name} is neither in the store nor in the output folder any more`)
  }
  const tree = FileTree.decode(await store.blobs.read(build.tree.blob))
  return {
    title: `${name} (${new Date(build.at).toISOString().slice(0, 16).replace('T', ' ')} UTC)`,
    outputs: build.manifest.outputs,
    archive: archive.name,
    shares: await rememberedShares(store, archive.sha256, file, archive.name),
    originOf: originIn(tree),
  }
}

/** An output folder or an image that a path names. `known` are builds that may say who put its files there. */
export const pathSizes = async (
  cwd: string,
  name: string,
  store: Store | undefined,
  known: readonly KeptBuild[],
): Promise<SizedBuild> => {
  const path = resolve(cwd, name)
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw wrong(name, 'no such file or folder')
  if (!found.isDirectory()) {
    const shares = await archiveShares(path, name)
    return { title: name, outputs: [{ name, size: found.size }], archive: name, shares, originOf: () => undefined }
  }
  const manifest = readManifest(path)
  if (!manifest) throw wrong(name, 'a folder without a manifest.json')
  const archive = archiveOf(manifest.outputs, name)
  const file = join(path, archive.name)
  const shares = store
    ? await rememberedShares(store, archive.sha256, () => file, join(name, archive.name))
    : await archiveShares(file, join(name, archive.name))
  const same = known.find(({ manifest: { outputs } }) => outputs.some(({ sha256 }) => sha256 === archive.sha256))
  const tree = store && same ? FileTree.decode(await store.blobs.read(same.tree.blob)) : undefined
  const originOf = tree ? originIn(tree) : () => undefined
  return { title: name, outputs: manifest.outputs, archive: archive.name, shares, originOf }
}
