// Fetches what a `cargo-vendor` source stands for, checks it against the lock file, and leaves out what is not built.
import {
  type Blob,
  ExitCode,
  type FetchContext,
  type Fetched,
  FileTree,
  type PinnedSource,
  type Scratch,
  type TreeRecord,
  ZosError,
} from '@zos/core'
import { type CargoLock, type CargoPackage, packageFolder, parseCargoLock } from './cargo-lock.js'
import { vendoredChecksum } from './crate-source.js'
import { type CratesPin, type CratesSource, cratesTree, writeSources } from './crates-source.js'
import { type HostCargo, runCargo, userCargo } from './host-cargo.js'
import { manifestOnlyChecksum, packagesInBuild } from './platform-crates.js'
import { buildPlatforms, rustTarget } from './target.js'

/** Where cargo finds the manifest, the lock file's content, and which cargo to ask. */
interface Prepared {
  readonly manifest: string
  /** Path of the lock file below the sources. */
  readonly path: string
  readonly lock: string
  readonly cargo: HostCargo
  /** For errors: `zinit`. */
  readonly title: string
}

const prepare = async ({ name, source, pin }: PinnedSource, scratch: Scratch, ctx: FetchContext): Promise<Prepared> => {
  const { of, folder, lock } = source as CratesSource
  if (of.in === 'library') {
    const library = `${of.prefix}/lib/rustlib/src/rust/library`
    const text = await ctx.hostText(`${library}/Cargo.lock`)
    if (text === undefined) throw new ZosError('RUST_STD', `${library} has no Cargo.lock`, { exit: ExitCode.host })
    const env = { RUSTC: `${of.prefix}/bin/rustc`, RUSTC_BOOTSTRAP: '1' }
    return {
      manifest: `${library}/Cargo.toml`,
      path: 'Cargo.lock',
      lock: text,
      cargo: { file: `${of.prefix}/bin/cargo`, env },
      title: library,
    }
  }
  await writeSources(scratch, await cratesTree(of, ctx))
  const made = pin as unknown as CratesPin | null
  if (made) await scratch.write(`src/${made.lock}`, `${made.lines.join('\n')}\n`)
  const path = made?.lock ?? lock ?? 'Cargo.lock'
  const text = await scratch.text(`src/${path}`)
  return {
    manifest: `src/${folder === '' ? '' : `${folder}/`}Cargo.toml`,
    path,
    lock: text,
    cargo: userCargo,
    title: name,
  }
}

/** A crate of the lock file as `cargo vendor` left it. */
interface Vendored {
  readonly folder: string
  readonly checksum: string | null
}

const checkOne = async (scratch: Scratch, wanted: CargoPackage, title: string): Promise<Vendored> => {
  const folder = packageFolder(wanted)
  const text = await scratch.text(`vendor/${folder}/.cargo-checksum.json`).catch((cause: unknown) => {
    throw new ZosError('RUST_VENDOR', `cargo brought no ${folder}, which the Cargo.lock of ${title} names`, { cause })
  })
  const checksum = vendoredChecksum(text, folder)
  const expected = wanted.source?.kind === 'registry' ? wanted.source.checksum : null
  if (checksum === expected) return { folder, checksum }
  throw new ZosError(
    'RUST_CHECKSUM',
    `${folder} has the checksum ${checksum}, the Cargo.lock of ${title} says ${expected}`,
    {
      hint: 'find out which registry or mirror is wrong',
      exit: ExitCode.fetch,
    },
  )
}

const vendored = async (scratch: Scratch, { packages }: CargoLock, title: string): Promise<readonly Vendored[]> => {
  const found: Vendored[] = []
  for (const one of packages) if (one.source) found.push(await checkOne(scratch, one, title))
  return found
}

const file = (path: string, blob: Blob): TreeRecord => ({ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob })

/** Removes the crates that are for other platforms, and gives what is left of them: manifests, with checksums that fit. */
const reduce = async (scratch: Scratch, others: readonly Vendored[], ctx: FetchContext): Promise<TreeRecord[]> => {
  const records: TreeRecord[] = []
  const none = await ctx.blobs.put('')
  for (const { folder, checksum } of others) {
    const manifest = await ctx.blobs.put(await scratch.text(`vendor/${folder}/Cargo.toml`))
    records.push(
      file(`/${folder}/Cargo.toml`, manifest),
      file(`/${folder}/.cargo-checksum.json`, await ctx.blobs.put(manifestOnlyChecksum(checksum))),
      file(`/${folder}/src/lib.rs`, none),
    )
  }
  if (others.length > 0) await ctx.run({ file: 'rm', args: ['-rf', ...others.map(({ folder }) => `vendor/${folder}`)] })
  return records
}

/** Gives the crates as a tree of folders `name-version`, and the Cargo.lock that names them as a blob. */
export const fetchCrates = async (pinned: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const scratch = await ctx.scratch()
  const { manifest, path, lock, cargo, title } = await prepare(pinned, scratch, ctx)
  const parsed = parseCargoLock(lock, `Cargo.lock of ${title}`)
  const blob = await ctx.blobs.put(lock)
  const facts = { lock: path }
  if (!parsed.packages.some(({ source }) => source)) return { tree: FileTree.empty, blob, facts }
  await runCargo(ctx, cargo, ['vendor', '--locked', '--versioned-dirs', '--manifest-path', manifest, 'vendor'])
  const crates = await vendored(scratch, parsed, title)
  const platforms = buildPlatforms(rustTarget(ctx.arch)).flatMap((platform) => ['--filter-platform', platform])
  const metadata = ['metadata', '--format-version', '1', '--locked', '--all-features', '--manifest-path', manifest]
  const inBuild = packagesInBuild(await runCargo(ctx, cargo, [...metadata, ...platforms]))
  const others = await reduce(
    scratch,
    crates.filter(({ folder }) => !inBuild.has(folder)),
    ctx,
  )
  const kept = await scratch.tree('vendor')
  return { tree: FileTree.from([...kept.records(), ...others]), blob, facts }
}
