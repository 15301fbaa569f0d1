import { ExitCode, type HostToolchainSpec, ZosError } from '@zos/core'

/** A Rust installation of this machine: `bin/cargo`, `bin/rustc` and `lib/rustlib` below `prefix`. */
export interface RustInstall {
  /** Absolute path: `/usr`, or the folder of a toolchain of rustup's. */
  readonly prefix: string
  /** Targets whose standard library is installed. */
  readonly targets: readonly string[]
  /** The standard library's source is installed. */
  readonly hasLibrarySource: boolean
  /** It brings its own linker, `rust-lld`. */
  readonly hasLinker: boolean
  /** Files below `prefix` that change with the compiler. */
  readonly identity: readonly string[]
  /** Packages of the system that it consists of, where a package manager brought it. */
  readonly packages: readonly string[]
}

/** What this machine has for building Rust programs; installations in order of preference. */
export interface RustHost {
  readonly installs: readonly RustInstall[]
  /** Folder with the program `zig` and its `lib`. */
  readonly zig?: string
}

/** How programs for a target are built on this machine. Paths are those of the host. */
export interface RustToolchain {
  readonly target: string
  /** `installed`: the target's standard library is there. `build-std`: it is built from source, with zig's musl. */
  readonly library: 'installed' | 'build-std'
  readonly linker: 'rust-lld' | 'zig' | 'cc'
  readonly prefix: string
  readonly identity: readonly string[]
  readonly packages: readonly string[]
  readonly zig?: string
}

const zigHint = 'zig: pip install ziglang in a virtual environment, and the folder of its zig in PATH'

const missing = (target: string, { installs, zig }: RustHost): ZosError => {
  const [first] = installs
  const rustup = `with rustup: rustup target add ${target}`
  if (!first) {
    return new ZosError('RUST_TOOLCHAIN', 'there is no Rust compiler: no cargo and rustc side by side in PATH', {
      hint: [
        `rustup (https://rustup.rs), then: rustup target add ${target}`,
        'Debian: apt-get install rustc-web cargo-web rust-web-src',
      ],
      exit: ExitCode.host,
    })
  }
  const has = installs.map(({ prefix }) => prefix).join(', ')
  const source = installs.some(({ hasLibrarySource }) => hasLibrarySource)
  if (!source) {
    return new ZosError(
      'RUST_TOOLCHAIN',
      `the Rust of ${has} has neither the target ${target} nor the standard library's source to build it from`,
      {
        hint: [rustup, 'Debian: apt-get install rust-web-src', ...(zig === undefined ? [zigHint] : [])],
        exit: ExitCode.host,
      },
    )
  }
  return new ZosError(
    'RUST_TOOLCHAIN',
    `the Rust of ${has} lacks the target ${target}; building its library from source takes zig, which is not there`,
    { hint: [rustup, zigHint], exit: ExitCode.host },
  )
}

/**
 * Chooses the first installation that has the target's library; where none has it, the first that can build it. Throws
 * `RUST_TOOLCHAIN`, which says how to get one.
 */
export const chooseToolchain = (target: string, host: RustHost): RustToolchain => {
  const { installs, zig } = host
  const withZig = zig === undefined ? {} : { zig }
  const ready = installs.find(({ targets }) => targets.includes(target))
  if (ready) {
    const { prefix, identity, packages, hasLinker } = ready
    const linker = hasLinker ? 'rust-lld' : zig === undefined ? 'cc' : 'zig'
    return { target, library: 'installed', linker, prefix, identity, packages, ...withZig }
  }
  const able = installs.find(({ hasLibrarySource }) => hasLibrarySource)
  if (!able || zig === undefined) throw missing(target, host)
  const { prefix, identity, packages } = able
  return { target, library: 'build-std', linker: 'zig', prefix, identity, packages, zig }
}

const rustFolder = '/opt/rust'
const zigFolder = '/opt/zig'

/** Where things are inside the sandbox, so that no path of this machine gets into what is built. */
export interface RustPlaces {
  readonly cargo: string
  readonly rustc: string
  /** Folder of the standard library's source. */
  readonly library: string
  readonly zig: string
  readonly path: string
  /**
   * For LD_LIBRARY_PATH: rustc takes the place of its own library for the root of its installation, and must not find
   * it by another name, such as `/lib` for `/usr/lib`.
   */
  readonly libraries: string
}

export const rustPlaces = ({ prefix, identity }: RustToolchain): RustPlaces => {
  const place = prefix === '/usr' ? prefix : rustFolder
  const driver = identity.find((file) => file.includes('/librustc_driver-')) ?? 'lib/'
  return {
    cargo: `${place}/bin/cargo`,
    rustc: `${place}/bin/rustc`,
    library: `${place}/lib/rustlib/src/rust/library`,
    libraries: `${place}/${driver.slice(0, driver.lastIndexOf('/'))}`,
    zig: `${zigFolder}/zig`,
    path: place === '/usr' ? '/usr/bin:/bin' : `${place}/bin:/usr/bin:/bin`,
  }
}

/** The same as the core wants it. `tools` are further programs of the host, such as `make`. */
export const hostToolchain = (rust: RustToolchain, tools: readonly string[] = []): HostToolchainSpec => {
  const { prefix, identity, packages, zig } = rust
  const own = prefix === '/usr' ? ['/usr/bin/cargo', '/usr/bin/rustc'] : []
  return {
    // Build scripts and macros run on the host, and are linked by its C compiler.
    tools: [...new Set([...own, 'cc', ...tools])].sort(),
    packages,
    folders: {
      ...(prefix !== '/usr' && { [rustFolder]: { from: prefix, identity } }),
      ...(zig !== undefined && { [zigFolder]: { from: zig, identity: ['zig'] } }),
    },
  }
}
