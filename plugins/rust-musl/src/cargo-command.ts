import type { CargoOptions } from './options.js'
import type { Command } from './sysroot.js'
import type { RustPlaces, RustToolchain } from './toolchain.js'
import { linkerVariable, zigLinker, zigVariables } from './wrappers.js'

/** Cargo names the output folder of the profile `dev` otherwise. */
const profileFolder = (profile: string): string => (profile === 'dev' || profile === 'test' ? 'debug' : profile)

/** Path, below the working folder, of a program that cargo built. */
export const builtProgram = (target: string, profile: string, name: string): string =>
  `target/${target}/${profileFolder(profile)}/${name}`

/** Flags of rustc for programs of the target. `libraries`: those of a sysroot that was made here, else none. */
export const rustFlags = (rust: RustToolchain, libraries: readonly string[]): readonly string[] => [
  '-Ctarget-feature=+crt-static',
  ...(rust.library === 'build-std'
    ? [
        ...['--sysroot=/build/sysroot', '-Clink-self-contained=yes', '-Crelocation-model=static'],
        ...['--start-group', ...libraries.map((name) => `-l${name}`), '--end-group'].map((arg) => `-Clink-arg=${arg}`),
      ]
    : []),
  ...(rust.linker === 'zig' ? ['-Clinker-flavor=ld'] : []),
  '--remap-path-prefix=/build/=',
]

const linkers = { 'rust-lld': 'rust-lld', zig: zigLinker, cc: 'cc' } as const

/** The cargo command for the programs of one component; `programs` are names of its binaries. */
export const cargoCommand = (
  rust: RustToolchain,
  places: RustPlaces,
  options: CargoOptions,
  programs: readonly string[],
  folder: string,
): Command => {
  const { target, zig } = rust
  const { profile = 'release', features = [], defaultFeatures = true } = options
  return {
    command: [
      ...[places.cargo, 'build', '--locked', '--offline', '--message-format=short', '--target', target],
      ...['--profile', profile],
      ...(defaultFeatures ? [] : ['--no-default-features']),
      ...(features.length > 0 ? ['--features', features.join(',')] : []),
      ...(options.package === undefined ? [] : ['--package', options.package]),
      ...programs.flatMap((name) => ['--bin', name]),
    ],
    env: {
      ...options.env,
      ...(zig !== undefined && zigVariables(target)),
      [linkerVariable(target)]: linkers[rust.linker],
      CARGO_HOME: '/build/cargo',
      CARGO_INCREMENTAL: '0',
      CARGO_TARGET_DIR: '/build/target',
      CARGO_TERM_COLOR: 'never',
      LD_LIBRARY_PATH: places.libraries,
      PATH: places.path,
      RUSTC: places.rustc,
    },
    cwd: folder === '' ? 'src' : `src/${folder}`,
    outputs: programs.map((name) => builtProgram(target, profile, name)),
  }
}
