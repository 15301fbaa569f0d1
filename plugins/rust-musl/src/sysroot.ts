// The musl target as rustup would install it, made here: Rust's standard library and the C library below it.
import { type Action, FileTree, type TreeRecord, ZosError } from '@zos/core'
import { baseName, type LinkParts } from './link-line.js'
import { zigTarget } from './target.js'
import type { RustPlaces } from './toolchain.js'

/** A command without its inputs and toolchain. */
export type Command = Pick<Action, 'command' | 'env' | 'outputs'> & { readonly cwd?: string }

/** The crate that pulls in the standard library; it has nothing of its own. */
export const anchorCrate: Readonly<Record<string, string>> = {
  'Cargo.toml': [
    'cargo-features = ["profile-rustflags"]',
    '[package]\nname = "anchor"\nversion = "0.0.0"\nedition = "2021"',
    // rustc takes the runtime of aborting programs only when it was compiled so itself; all else serves both kinds.
    '[profile.release.package.panic_abort]\nrustflags = ["-Cpanic=abort"]\n',
  ].join('\n\n'),
  'Cargo.lock': 'version = 3\n\n[[package]]\nname = "anchor"\nversion = "0.0.0"\n',
  'src/lib.rs': '#![no_std]\n',
}

export const anchorProgram = { name: 'main.c', object: 'main.o', text: 'int main(void) { return 0; }\n' } as const

const releaseDeps = (target: string): string => `target/${target}/release/deps`

/** Compiles the standard library, with both ways to panic, and with bitcode for programs that link with LTO. */
export const stdCommand = (target: string, { cargo, rustc, library, libraries, path }: RustPlaces): Command => ({
  command: [
    ...[cargo, 'build', '--locked', '--offline', '--release', '--target', target],
    '-Zbuild-std=std,panic_abort,panic_unwind',
  ],
  env: {
    CARGO_HOME: '/build/cargo',
    CARGO_INCREMENTAL: '0',
    CARGO_TARGET_DIR: '/build/target',
    CARGO_TERM_COLOR: 'never',
    LD_LIBRARY_PATH: libraries,
    PATH: path,
    RUSTC: rustc,
    // -Zbuild-std is not stable; nothing else that is unstable is used.
    RUSTC_BOOTSTRAP: '1',
    RUSTFLAGS: [
      ...['-C', 'target-feature=+crt-static', '-C', 'embed-bitcode=yes'],
      ...[`--remap-path-prefix=${library}=/rust/library`, '--remap-path-prefix=/build/vendor=/rust/vendor'],
    ].join(' '),
  },
  cwd: 'src',
  outputs: [releaseDeps(target)],
})

/** Links an empty program with zig, which compiles musl, its start files and the unwinder on the way, and says so. */
export const libcCommand = (target: string, { zig }: RustPlaces): Command => ({
  command: [
    // What zig links with is printed to standard error; standard output is what an action gives back.
    ...['/bin/sh', '-c', 'exec "$@" 2>&1', 'sh'],
    ...[zig, 'cc', '-target', zigTarget(target), '-O2', '-fno-sanitize=all', '-static'],
    ...[anchorProgram.name, '-lunwind', '-o', 'main'],
  ],
  env: { ZIG_GLOBAL_CACHE_DIR: '/build/cache', ZIG_LOCAL_CACHE_DIR: '/build/cache', ZIG_VERBOSE_LINK: '1' },
  outputs: ['cache/o'],
})

/** Start files by the names that rustc gives to its linker. */
const startFiles = ['crt1.o', 'crti.o', 'crtbegin.o', 'crtend.o', 'crtn.o']

/** An archive without members, for start files that musl and lld do not need: it links as nothing. */
export const emptyArchive = '!<arch>\n'

/** Archives that rustc names itself. */
const knownLibraries = ['libunwind.a', 'libc.a']

/** Names, as for `-l`, of the archives that have to be linked together: the C library and what it calls. */
export const groupedLibraries = ({ archives }: LinkParts): readonly string[] =>
  ['libc.a', ...archives.map(baseName).filter((name) => !knownLibraries.includes(name))].map((name) =>
    name.replace(/^lib(.+)\.a$/, '$1'),
  )

/** Puts the sysroot together: from the first action the libraries of Rust, from the second those of C. */
export const sysrootTree = (
  target: string,
  std: FileTree,
  libc: FileTree,
  parts: LinkParts,
  empty: { readonly sha256: string; readonly size: number },
): FileTree => {
  const lib = `/lib/rustlib/${target}/lib`
  const records: TreeRecord[] = std
    .glob(`/${releaseDeps(target)}/*.rlib`)
    .map((record) => ({ ...record, path: `${lib}/${baseName(record.path)}` }))
    .filter(({ path }) => !path.includes('/libanchor-'))
  if (!records.some(({ path }) => path.startsWith(`${lib}/libstd-`))) {
    throw new ZosError('RUST_STD', `cargo left no libstd for ${target}`, { hint: 'look into the log of this step' })
  }
  const own = [...parts.objects, ...parts.archives]
  for (const path of own) {
    const entry = libc.get(`/${path}`)
    if (entry?.kind !== 'file') throw new ZosError('RUST_ZIG', `zig linked with ${path}, which is not there`)
    records.push({ ...entry, path: `${lib}/self-contained/${baseName(path)}` })
  }
  for (const name of startFiles) {
    if (own.some((path) => baseName(path) === name)) continue
    const path = `${lib}/self-contained/${name}`
    records.push({ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: empty })
  }
  return FileTree.from(records)
}
