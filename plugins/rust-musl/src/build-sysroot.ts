// Builds the component `rust/sysroot`: nothing where the target is installed, else the target itself.
import { type Action, type Artifact, type Blob, FileTree, type TapContext, type TreeRecord } from '@zos/core'
import { targetFlags, vendoredSources } from './cargo-config.js'
import { parseCargoLock } from './cargo-lock.js'
import { parseLinkLine } from './link-line.js'
import {
  anchorCrate,
  anchorProgram,
  emptyArchive,
  groupedLibraries,
  libcCommand,
  stdCommand,
  sysrootTree,
} from './sysroot.js'
import { hostToolchain, type RustToolchain, rustPlaces } from './toolchain.js'

export const toolchainName = 'rust/toolchain'
export const sysrootName = 'rust/sysroot'

export const loadToolchain = async (ctx: TapContext): Promise<RustToolchain> =>
  (await ctx.fetched(toolchainName)).facts as unknown as RustToolchain

/** The vendored crates of a source and the cargo configuration that puts them in place, as inputs of an action. */
export const vendorInputs = async (
  ctx: TapContext,
  name: string,
  flags: string,
): Promise<{ readonly vendor: FileTree; readonly 'cargo/config.toml': Blob }> => {
  const { tree, blob } = await ctx.fetched(name)
  const text = blob ? new TextDecoder().decode(await ctx.blobs.read(blob)) : 'version = 3\n'
  const config = vendoredSources(parseCargoLock(text, `Cargo.lock of ${name}`), '/build/vendor')
  return { vendor: tree ?? FileTree.empty, 'cargo/config.toml': await ctx.blobs.put(`${config}\n${flags}`) }
}

const anchorTree = async (ctx: TapContext): Promise<FileTree> => {
  const records: TreeRecord[] = []
  for (const [name, text] of Object.entries(anchorCrate)) {
    records.push({ path: `/${name}`, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: await ctx.blobs.put(text) })
  }
  return FileTree.from(records)
}

/** Waits for both, also when one fails: nothing is left running behind an error. */
const both = async <T>(first: Promise<T>, second: Promise<T>): Promise<readonly [T, T]> => {
  await Promise.allSettled([first, second])
  return [await first, await second]
}

export const buildSysroot = async (ctx: TapContext): Promise<Artifact> => {
  const rust = await loadToolchain(ctx)
  if (rust.library === 'installed') return { trees: { sysroot: FileTree.empty }, facts: { libraries: [] } }
  const { target } = rust
  const places = rustPlaces(rust)
  const toolchain = await ctx.host(hostToolchain(rust))
  const std: Action = {
    name: `Rust's library for ${target}`,
    ...stdCommand(target, places),
    inputs: {
      src: await anchorTree(ctx),
      ...(await vendorInputs(ctx, `${toolchainName}/crates`, targetFlags(target, []))),
    },
    toolchain,
  }
  const libc: Action = {
    name: `musl for ${target}`,
    ...libcCommand(target, places),
    inputs: { [anchorProgram.name]: await ctx.blobs.put(anchorProgram.text) },
    toolchain,
  }
  const [rustParts, libcParts] = await both(ctx.run(std), ctx.run(libc))
  const parts = parseLinkLine(libcParts.stdout, anchorProgram.object)
  const empty = await ctx.blobs.put(emptyArchive)
  return {
    trees: { sysroot: sysrootTree(target, rustParts.tree, libcParts.tree, parts, empty) },
    facts: { libraries: groupedLibraries(parts) },
  }
}
