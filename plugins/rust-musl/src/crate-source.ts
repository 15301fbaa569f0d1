// Source kind `crate`: one crate of the user's registry, pinned by the checksum that its index states.
import {
  ExitCode,
  type FetchContext,
  type Fetched,
  type Json,
  type PinnedSource,
  type Scratch,
  type Source,
  ZosError,
} from '@zos/core'
import { parseCargoLock } from './cargo-lock.js'
import { cratesInside } from './crates-source.js'
import { runCargo, userCargo } from './host-cargo.js'

export interface CrateSource extends Source {
  readonly kind: 'crate'
  readonly crate: string
  readonly version: string
}

export interface CratePin {
  /** SHA-256 of the `.crate` file. */
  readonly checksum: string
}

export const crateSource = (crate: string, version: string): CrateSource => ({ kind: 'crate', crate, version })

/** A package of nothing but one dependency: cargo then does with the registry what it does for everybody. */
const prepare = async (scratch: Scratch, { crate, version }: CrateSource): Promise<void> => {
  const dependency = `${crate} = { version = "=${version}", default-features = false }`
  await scratch.write(
    'Cargo.toml',
    `[package]\nname = "pin"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\n${dependency}\n`,
  )
  await scratch.write('src/lib.rs', '')
}

export const pinCrate = async (source: CrateSource, ctx: FetchContext): Promise<Json> => {
  const scratch = await ctx.scratch()
  await prepare(scratch, source)
  await runCargo(ctx, userCargo, ['generate-lockfile'])
  const lock = parseCargoLock(await scratch.text('Cargo.lock'), 'Cargo.lock')
  const found = lock.packages.find(({ name, version }) => name === source.crate && version === source.version)
  if (found?.source?.kind === 'registry') return { checksum: found.source.checksum } satisfies CratePin
  throw new ZosError('RUST_CRATE', `the registry gave no ${source.crate} ${source.version}`, { exit: ExitCode.fetch })
}

/** Checksums as `cargo vendor` writes them: of the package, or null where it came from git, and of each file. */
export const vendoredChecksum = (text: string, what: string): string | null => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  const checksum = (parsed as { package?: unknown } | null | undefined)?.package
  if (checksum === undefined || checksum === null) return null
  if (typeof checksum === 'string' && /^[0-9a-f]{64}$/.test(checksum)) return checksum
  throw new ZosError('RUST_VENDOR', `${what}: cargo wrote no checksum that is understood`, { exit: ExitCode.fetch })
}

/** The commit that the packager's git was at, from `.cargo_vcs_info.json`. */
const commitIn = (text: string): string | undefined => {
  try {
    const { git } = JSON.parse(text) as { git?: { sha1?: unknown } }
    return typeof git?.sha1 === 'string' && /^[0-9a-f]{40}$/.test(git.sha1) ? git.sha1 : undefined
  } catch {
    return undefined
  }
}

export const fetchCrate = async (pinned: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const source = pinned.source as CrateSource
  const { checksum } = pinned.pin as unknown as CratePin
  const { crate, version } = source
  const scratch = await ctx.scratch()
  await prepare(scratch, source)
  await runCargo(ctx, userCargo, ['vendor', '--versioned-dirs', 'vendor'])
  const folder = `vendor/${crate}-${version}`
  const found = vendoredChecksum(await scratch.text(`${folder}/.cargo-checksum.json`), crate)
  if (found !== checksum) {
    throw new ZosError('RUST_CHECKSUM', `${crate} ${version}: the registry gave ${found}, the lock has ${checksum}`, {
      hint: 'versions of a crate never change: find out which registry or mirror is wrong',
      exit: ExitCode.fetch,
    })
  }
  const tree = (await scratch.tree(folder)).filter(({ path }) => path !== '/.cargo-checksum.json')
  const info = tree.get('/.cargo_vcs_info.json')
  const commit = info?.kind === 'file' ? commitIn(await scratch.text(`${folder}/.cargo_vcs_info.json`)) : undefined
  return {
    tree,
    facts: { version, ...(commit !== undefined && { commit }) },
    sources: { crates: await cratesInside(pinned, tree, '', ctx) },
  }
}
