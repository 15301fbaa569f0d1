// Builds a component of kind `rust`: sources, patches, cargo in the sandbox, and the proof that programs are static.
import {
  type Artifact,
  type Component,
  DeltaBuilder,
  FileTree,
  isZosError,
  type Json,
  ref,
  type TapContext,
  type TreeRecord,
  ZosError,
} from '@zos/core'
import { programPackage } from './bill.js'
import { loadToolchain, sysrootName, vendorInputs } from './build-sysroot.js'
import { builtProgram, cargoCommand, rustFlags } from './cargo-command.js'
import { targetFlags } from './cargo-config.js'
import { parseCargoLock } from './cargo-lock.js'
import { checkManifest } from './crates-source.js'
import type { CargoComponent } from './options.js'
import { patchCommand } from './patch-command.js'
import { programsOf } from './programs.js'
import { checkStatic } from './static-elf.js'
import { hostToolchain, rustPlaces } from './toolchain.js'
import { wrapperTree } from './wrappers.js'

/** Options of a component, and its folder in the sources. */
export type ProgramOptions = CargoComponent & { readonly folder: string }

/** The sources with the Cargo.lock that their crates were fetched by: their own, or the one that was made for them. */
const withLock = async (ctx: TapContext, name: string, sources: FileTree): Promise<FileTree> => {
  const { blob, facts } = await ctx.fetched(`${name}/crates`)
  const path = (facts as { readonly lock?: string } | undefined)?.lock
  if (!blob || path === undefined) throw new ZosError('RUST_LOCK', `${name}: its Cargo.lock was not kept`)
  const own = sources.get(`/${path}`)
  if (own?.kind === 'file' && own.blob.sha256 === blob.sha256) return sources
  return sources.apply(new DeltaBuilder({ over: 'any' }).file(`/${path}`, blob).build(), { plugin: 'rust-musl' })
}

const patched = async (
  ctx: TapContext,
  name: string,
  sources: FileTree,
  patches: readonly string[],
): Promise<FileTree> => {
  if (patches.length === 0) return sources
  const files = await Promise.all(
    patches.map(
      async (path, index) => [`patches/${index}.patch`, await ctx.blobs.put(await ctx.project.bytes(path))] as const,
    ),
  )
  try {
    const { tree } = await ctx.run({
      name: 'patches',
      ...patchCommand(patches.length),
      inputs: { src: sources, ...Object.fromEntries(files) },
      toolchain: await ctx.host({ tools: ['git'] }),
    })
    return tree.subtree('/src')
  } catch (cause) {
    throw explained(cause, 'RUST_PATCH', `${patches.join(', ')} cannot be applied to ${name}`)
  }
}

/** The first error of the log in the place of the action's own words; its log stays named. */
const explained = (cause: unknown, code: string, what: string): unknown => {
  if (!isZosError(cause) || cause.code !== 'ACTION_FAILED') return cause
  const [first] = (cause.data.errors ?? []) as readonly string[]
  return new ZosError(code, first === undefined ? `${what}: ${cause.message}` : `${what}\n${first}`, {
    hint: cause.hint,
    data: cause.data,
    cause,
  })
}

/** Version of the package that was built: a lock file has those of the workspace without a source. */
const versionOf = (lock: string, names: readonly string[]): string | undefined => {
  const own = parseCargoLock(lock, 'Cargo.lock').packages.filter(({ source }) => !source)
  return (own.find(({ name }) => names.includes(name)) ?? (own.length === 1 ? own[0] : undefined))?.version
}

export const buildProgram = async ({ name, plugin, options }: Component, ctx: TapContext): Promise<Artifact> => {
  const component = options as unknown as ProgramOptions
  const { folder, patches = [], files = {}, tools, profile = 'release' } = component
  const fetched = await ctx.fetched(name)
  if (!fetched.tree) throw new ZosError('RUST_SOURCE', `the source of ${name} gave no files`)
  checkManifest(fetched.tree, folder, name)
  const { places: programs, features } = await programsOf(ctx, name, component, fetched.tree)
  const rust = await loadToolchain(ctx)
  const places = rustPlaces(rust)
  const sysroot = ref(plugin, sysrootName, 'sysroot')
  const libraries = (await ctx.artifact(sysroot)).facts?.libraries as readonly string[]
  const sources = await patched(ctx, name, await withLock(ctx, name, fetched.tree), patches)
  const vendor = await vendorInputs(ctx, `${name}/crates`, targetFlags(rust.target, rustFlags(rust, libraries)))
  const extra = await Promise.all(
    Object.keys(files).map(async (file) => {
      const { blob } = await ctx.fetched(`${name}/files/${file}`)
      if (!blob) throw new ZosError('RUST_SOURCE', `${name}: nothing was fetched for ${file}`)
      return [`files/${file}`, blob] as const
    }),
  )
  const { tree } = await ctx
    .run({
      name,
      ...cargoCommand(rust, places, { ...component, features }, Object.keys(programs), folder),
      inputs: {
        src: sources,
        ...vendor,
        ...Object.fromEntries(extra),
        ...(rust.library === 'build-std' && { sysroot: await ctx.tree(sysroot) }),
        ...(rust.zig !== undefined && { bin: await wrapperTree(places.zig, rust.target, ctx.blobs) }),
      },
      toolchain: await ctx.host(hostToolchain(rust, tools)),
    })
    .catch((cause: unknown) => {
      throw explained(cause, 'RUST_COMPILE', `${name} does not compile`)
    })
  const records: TreeRecord[] = []
  for (const [program, path] of Object.entries(programs)) {
    const entry = tree.get(`/${builtProgram(rust.target, profile, program)}`)
    if (entry?.kind !== 'file') throw new ZosError('RUST_PROGRAM', `cargo left no program ${program}`)
    checkStatic(await ctx.blobs.read(entry.blob), program, ctx.arch)
    records.push({
      path,
      kind: 'file',
      mode: 0o755,
      uid: 0,
      gid: 0,
      blob: entry.blob,
      origin: { plugin, package: name },
    })
  }
  const facts = await factsOf(ctx, name, component, programs, fetched.facts)
  ctx.package(await programPackage(ctx, name, component, fetched.tree, facts))
  return { trees: { tree: FileTree.from(records) }, facts }
}

const factsOf = async (
  ctx: TapContext,
  name: string,
  component: ProgramOptions,
  programs: Readonly<Record<string, string>>,
  fetched: Json | undefined,
): Promise<Record<string, Json>> => {
  const { version, commit } = (fetched ?? {}) as { readonly version?: Json; readonly commit?: Json }
  const { blob } = await ctx.fetched(`${name}/crates`)
  const lock = blob && new TextDecoder().decode(await ctx.blobs.read(blob))
  const found = version ?? (lock && versionOf(lock, [component.package ?? name, name, ...Object.keys(programs)]))
  return { programs, ...(found !== undefined && { version: found }), ...(commit !== undefined && { commit }) }
}
