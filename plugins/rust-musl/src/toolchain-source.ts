// Source kind `rust-toolchain`: what this machine has to build with. It stands for the machine, so it is looked at anew
// in every build, and never kept in the lock.
import { type FetchContext, type Fetched, type Json, type PinnedSource, type Source, sha256, ZosError } from '@zos/core'
import type { CratesSource } from './crates-source.js'
import { chooseToolchain, type RustToolchain } from './toolchain.js'
import { searchRust } from './toolchain-search.js'

export interface ToolchainSource extends Source {
  readonly kind: 'rust-toolchain'
  readonly live: true
  readonly target: string
}

export const toolchainSource = (target: string): ToolchainSource => ({ kind: 'rust-toolchain', live: true, target })

/** The crates that the standard library is built from; its own Cargo.lock says what they are. */
const libraryCrates = async ({ prefix }: RustToolchain, ctx: FetchContext): Promise<CratesSource> => {
  const path = `${prefix}/lib/rustlib/src/rust/library/Cargo.lock`
  const lock = await ctx.hostText(path)
  if (lock === undefined) throw new ZosError('RUST_STD', `${path} cannot be read`)
  return { kind: 'cargo-vendor', of: { in: 'library', prefix }, folder: '', lock: 'Cargo.lock', sha256: sha256(lock) }
}

export const fetchToolchain = async ({ source }: PinnedSource, ctx: FetchContext): Promise<Fetched> => {
  const { target } = source as ToolchainSource
  const rust = chooseToolchain(target, await searchRust(ctx))
  return {
    facts: rust as unknown as Json,
    ...(rust.library === 'build-std' && { sources: { crates: await libraryCrates(rust, ctx) } }),
  }
}
