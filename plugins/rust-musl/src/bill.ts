// Programs and their crates in the bill of materials.
import type { FileTree, Json, Package, TapContext } from '@zos/core'
import { parse } from 'smol-toml'
import type { ProgramOptions } from './build-program.js'
import { type CargoPackage, cratesIo, packageFolder, parseCargoLock } from './cargo-lock.js'

/** Members of a manifest's `[package]` that a bill tells. */
const manifestOf = async (
  ctx: TapContext,
  tree: FileTree,
  folder: string,
): Promise<Pick<Package, 'license' | 'homepage'>> => {
  const entry = tree.get(`${folder}/Cargo.toml`)
  if (entry?.kind !== 'file') return {}
  let table: Record<string, unknown> | undefined
  try {
    table = parse(new TextDecoder().decode(await ctx.blobs.read(entry.blob))).package as Record<string, unknown>
  } catch {
    // Cargo has read it; what a bill leaves out is not worth a failed build.
    return {}
  }
  const { license, homepage, repository } = table ?? {}
  const home = [homepage, repository].find((one) => typeof one === 'string' && /^https?:\/\/[^\s@]+$/.test(one))
  return {
    // Crates from before 2018 write `MIT/Apache-2.0`.
    ...(typeof license === 'string' && { license: license.replace(/\s*\/\s*/g, ' OR ') }),
    ...(typeof home === 'string' && { homepage: home }),
  }
}

const cratePurl = ({ name, version, source }: CargoPackage): string => {
  const from = source?.kind === 'git' ? `?vcs_url=${encodeURIComponent(`git+${source.url}@${source.commit}`)}` : ''
  return `pkg:cargo/${name}@${encodeURIComponent(version)}${from}`
}

const cratePackage = async (ctx: TapContext, vendor: FileTree, one: CargoPackage): Promise<Package> => {
  const { name, version, source } = one
  return {
    name,
    version,
    purl: cratePurl(one),
    ...(source?.kind === 'registry' && { sha256: source.checksum }),
    ...(source?.kind === 'registry' && source.url === cratesIo && { supplier: 'crates.io' }),
    ...(await manifestOf(ctx, vendor, `/${packageFolder(one)}`)),
  }
}

/** Of crates for other platforms only the manifest was kept, beside an empty library. */
const isBuilt = (vendor: FileTree, one: CargoPackage): boolean => {
  const folder = `/${packageFolder(one)}`
  const library = vendor.get(`${folder}/src/lib.rs`)
  return !(library?.kind === 'file' && library.blob.size === 0 && vendor.subtree(folder).count <= 4)
}

/** A program with the crates that its build takes. */
export const programPackage = async (
  ctx: TapContext,
  name: string,
  component: ProgramOptions,
  sources: FileTree,
  { version, commit }: Readonly<Record<string, Json>>,
): Promise<Package> => {
  const { tree: vendor, blob } = await ctx.fetched(`${name}/crates`)
  const lock = blob
    ? parseCargoLock(new TextDecoder().decode(await ctx.blobs.read(blob)), `Cargo.lock of ${name}`)
    : undefined
  const crates = vendor ? (lock?.packages ?? []).filter((one) => one.source && isBuilt(vendor, one)) : []
  const shown = String(version ?? commit ?? '0')
  return {
    name,
    version: shown,
    purl: programPurl(name, component, shown, commit),
    ...(await manifestOf(ctx, sources, component.folder === '' ? '' : `/${component.folder}`)),
    madeFrom: await Promise.all(crates.map((one) => cratePackage(ctx, vendor!, one))),
  }
}

const programPurl = (name: string, component: ProgramOptions, version: string, commit: Json | undefined): string => {
  if (component.from === 'crate') return `pkg:cargo/${component.crate}@${encodeURIComponent(component.version)}`
  if (component.from === 'path') return `pkg:generic/${name}@${encodeURIComponent(version)}`
  const vcs = `git+${component.url.replace(/\/\/[^/@]+@/, '//')}@${commit ?? component.ref}`
  return `pkg:generic/${name}@${encodeURIComponent(version)}?vcs_url=${encodeURIComponent(vcs)}`
}

/** A program that somebody else built. */
export const releasePackage = (name: string, url: string, sha256: string): Package => {
  const download = url.replace(/\/\/[^/@]+@/, '//').replace(/[?#].*$/, '')
  const version = /(?:^|[^\d])v?(\d+(?:\.\d+)+)/.exec(new URL(download).pathname)?.[1] ?? sha256.slice(0, 12)
  return {
    name,
    version,
    purl: `pkg:generic/${name}@${encodeURIComponent(version)}?download_url=${encodeURIComponent(download)}`,
    download,
    sha256,
  }
}
