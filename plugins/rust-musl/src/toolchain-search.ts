// Finds the Rust installations and the zig of this machine by looking for files: nothing is run.
import type { FetchContext } from '@zos/core'
import { parse } from 'smol-toml'
import { debianRustPackages } from './debian-packages.js'
import type { RustHost, RustInstall } from './toolchain.js'

type Search = Pick<FetchContext, 'hostGlob' | 'hostText' | 'project'>

const parentOf = (folder: string): string => folder.slice(0, folder.lastIndexOf('/')) || '/'
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const isThere = async (path: string, { hostGlob }: Search): Promise<boolean> => (await hostGlob(path)).length > 0

const searchPath = ({ project }: Search): readonly string[] => {
  const folders = (project.env('PATH') ?? '').split(':').filter((folder) => /^\/.*[^/]$/.test(folder))
  return [...new Set(folders)]
}

/** The folder of rustup's toolchain that would run: RUSTUP_TOOLCHAIN, else the default. */
const rustupPrefix = async (search: Search): Promise<string | undefined> => {
  const { project, hostText, hostGlob } = search
  const user = project.env('HOME')
  const home = project.env('RUSTUP_HOME') ?? (user === undefined ? undefined : `${user}/.rustup`)
  if (home === undefined) return undefined
  const settings = await hostText(`${home}/settings.toml`)
  if (settings === undefined) return undefined
  const name = project.env('RUSTUP_TOOLCHAIN') ?? defaultToolchain(settings)
  if (name === undefined || !/^[A-Za-z0-9._-]+$/.test(name)) return undefined
  const folders = await hostGlob(`${home}/toolchains/${name}*`)
  return (
    folders.find((folder) => nameOf(folder) === name) ?? folders.find((folder) => nameOf(folder).startsWith(`${name}-`))
  )
}

const defaultToolchain = (settings: string): string | undefined => {
  try {
    const { default_toolchain: name } = parse(settings)
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined
  }
}

/** Compiler libraries lie in `lib`, on Debian in a folder of `lib` for the machine. */
const compilerFiles = async (prefix: string, { hostGlob }: Search): Promise<readonly string[]> => {
  const folders = [`${prefix}/lib`, ...(await hostGlob(`${prefix}/lib/*-linux-gnu`))]
  const found = await Promise.all(folders.map((folder) => hostGlob(`${folder}/librustc_driver-*.so`)))
  return ['bin/cargo', 'bin/rustc', ...found.flat().map((path) => path.slice(prefix.length + 1))].sort()
}

const targetName = /^[a-z0-9_]+-[a-z0-9]+-linux-[a-z0-9]+$/

const inspect = async (prefix: string, search: Search): Promise<RustInstall | undefined> => {
  const { hostGlob, hostText } = search
  const rustlib = `${prefix}/lib/rustlib`
  // Beside them lie lists of files, such as manifest-rustc-x86_64-unknown-linux-gnu.
  const folders = (await hostGlob(`${rustlib}/*-linux-*`)).filter((folder) => targetName.test(nameOf(folder)))
  if (folders.length === 0 || !(await isThere(`${prefix}/bin/cargo`, search))) return undefined
  const libraries = await Promise.all(folders.map((folder) => isThere(`${folder}/lib/libstd-*.rlib`, search)))
  const linkers = await Promise.all(folders.map((folder) => isThere(`${folder}/bin/rust-lld`, search)))
  return {
    prefix,
    targets: folders.filter((_, index) => libraries[index]).map(nameOf),
    hasLibrarySource: await isThere(`${rustlib}/src/rust/library/Cargo.lock`, search),
    hasLinker: linkers.includes(true),
    identity: await compilerFiles(prefix, search),
    packages: prefix === '/usr' ? debianRustPackages((await hostText('/var/lib/dpkg/status')) ?? '') : [],
  }
}

/** A folder with zig's program and library: unpacked, in PATH, or brought by Python's package `ziglang`. */
const findZig = async (search: Search): Promise<string | undefined> => {
  for (const folder of searchPath(search)) {
    if ((await isThere(`${folder}/zig`, search)) && (await isThere(`${folder}/lib/std/std.zig`, search))) return folder
    for (const python of await search.hostGlob(`${parentOf(folder)}/lib/python3*`)) {
      const installed = `${python}/site-packages/ziglang`
      if (await isThere(`${installed}/zig`, search)) return installed
    }
  }
  return undefined
}

/** What this machine has: rustup's toolchain first, then what PATH names, in its order. */
export const searchRust = async (search: Search): Promise<RustHost> => {
  const candidates: string[] = []
  const rustup = await rustupPrefix(search)
  if (rustup !== undefined) candidates.push(rustup)
  for (const folder of searchPath(search)) {
    if (nameOf(folder) === 'bin' && (await isThere(`${folder}/rustc`, search))) candidates.push(parentOf(folder))
  }
  const installs: RustInstall[] = []
  for (const prefix of new Set(candidates)) {
    const install = await inspect(prefix, search)
    // On merged systems /bin is /usr/bin.
    if (install && prefix !== '/') installs.push(install)
  }
  const zig = await findZig(search)
  return { installs, ...(zig !== undefined && { zig }) }
}
