// Source kind `cargo-vendor`: all crates of one Cargo.lock as a directory source, fetched by the user's cargo.
import {
  ExitCode,
  type FetchContext,
  type FileTree,
  isZosError,
  type Json,
  type PinnedSource,
  type Scratch,
  type Source,
  ZosError,
} from '@zos/core'
import { parseCargoLock } from './cargo-lock.js'
import { runCargo, userCargo } from './host-cargo.js'

/** Where the manifest is whose dependencies are wanted. */
export type CratesOf =
  /** In another source, which is fetched already. */
  | { readonly in: 'source'; readonly name: string; readonly source: Source; readonly pin: Json }
  /** In a folder of the project. */
  | { readonly in: 'project'; readonly folder: string }
  /** The standard library of an installed Rust: absolute path of its prefix on this machine. */
  | { readonly in: 'library'; readonly prefix: string }

export interface CratesSource extends Source {
  readonly kind: 'cargo-vendor'
  readonly of: CratesOf & Json
  /** Folder of the manifest, below what `of` says; empty for its root. */
  readonly folder: string
  /** Path of the Cargo.lock, and the SHA-256 of its content: it says what every crate is. Absent where there is none yet. */
  readonly lock?: string
  readonly sha256?: string
}

/** Pin of a crate that brings no Cargo.lock: the one that was made for it, as lines. */
export interface CratesPin {
  readonly lock: string
  readonly lines: readonly string[]
}

/** Folders from the given one up to the root; the root is empty. */
const upwards = (folder: string): readonly string[] => {
  const parts = folder === '' ? [] : folder.split('/')
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join('/')), '']
}

const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

/** The Cargo.lock that counts for a manifest: the nearest one, from its folder upwards. */
export const lockPath = (tree: FileTree, folder: string): string | undefined =>
  upwards(folder)
    .map((one) => below(one, 'Cargo.lock'))
    .find((path) => tree.get(`/${path}`)?.kind === 'file')

/** Throws where the folder has no manifest. */
export const checkManifest = (tree: FileTree, folder: string, what: string): void => {
  const path = below(folder, 'Cargo.toml')
  if (tree.get(`/${path}`)?.kind === 'file') return
  const near = [...tree.glob('/*/Cargo.toml'), ...tree.glob('/*/*/Cargo.toml')].map((record) =>
    record.path.slice(1, -'/Cargo.toml'.length),
  )
  throw new ZosError('RUST_MANIFEST', `${what} has no ${path}`, {
    hint:
      near.length > 0 ? `name the crate's folder with subdir: ${near.slice(0, 8).join(', ')}` : 'is it a Rust project?',
    exit: ExitCode.config,
  })
}

/**
 * The crates of a manifest inside a fetched source, as a further source. A Cargo.lock that is not of a version that says
 * all (before Rust 1.53) is as good as none, which a warning tells.
 */
export const cratesInside = async (
  { name, source, pin }: PinnedSource,
  tree: FileTree,
  folder: string,
  ctx: Pick<FetchContext, 'blobs' | 'warn'>,
): Promise<CratesSource> => {
  checkManifest(tree, folder, name)
  const without: CratesSource = { kind: 'cargo-vendor', of: { in: 'source', name, source, pin }, folder }
  const lock = lockPath(tree, folder)
  const entry = lock === undefined ? undefined : tree.get(`/${lock}`)
  if (lock === undefined || entry?.kind !== 'file') return without
  try {
    parseCargoLock(new TextDecoder().decode(await ctx.blobs.read(entry.blob)), lock)
  } catch (cause) {
    if (!isZosError(cause)) throw cause
    ctx.warn('RUST_LOCK', `${name}: ${cause.message}; its dependencies are pinned anew`)
    return without
  }
  return { ...without, lock, sha256: entry.blob.sha256 }
}

/** The sources that `of` names, as a tree; the library stays where it is. */
export const cratesTree = async (of: Exclude<CratesOf, { in: 'library' }>, ctx: FetchContext): Promise<FileTree> => {
  if (of.in === 'project') return ctx.project.folder(of.folder)
  const { tree } = await ctx.fetch({ name: of.name, source: of.source, pin: of.pin })
  if (tree) return tree
  throw new ZosError('RUST_MANIFEST', `${of.name} gave no files`, { exit: ExitCode.fetch })
}

/** Writes sources into `src`, cut off from whatever workspace the scratch folder lies in. */
export const writeSources = async (scratch: Scratch, tree: FileTree): Promise<void> => {
  await scratch.write('Cargo.toml', '[workspace]\nmembers = []\nexclude = ["src"]\n')
  await scratch.writeTree('src', tree)
}

/** Makes the Cargo.lock that is missing or of no use, once: it is kept in the project's lock. */
export const pinCrates = async (source: CratesSource, ctx: FetchContext): Promise<Json> => {
  if (source.sha256 !== undefined || source.of.in === 'library') return null
  const scratch = await ctx.scratch()
  const tree = await cratesTree(source.of, ctx)
  const unusable = lockPath(tree, source.folder)
  await writeSources(
    scratch,
    tree.filter(({ path }) => path !== `/${unusable}`),
  )
  await runCargo(ctx, userCargo, ['generate-lockfile', '--manifest-path', `src/${below(source.folder, 'Cargo.toml')}`])
  const lock = lockPath(await scratch.tree('src'), source.folder)
  if (lock === undefined)
    throw new ZosError('RUST_LOCK', `cargo made no Cargo.lock for ${source.folder || 'the crate'}`)
  const lines = (await scratch.text(`src/${lock}`)).trimEnd().split('\n')
  return { lock, lines }
}
