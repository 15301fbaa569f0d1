import type { FileTree } from './tree.js'

/** A tool of the host that a plugin uses, for `zos doctor` and for errors. */
export interface Need {
  /** Name of the program, as found on PATH. */
  readonly tool: string
  /** Lowest version that works, `4.2`. */
  readonly version?: string
  /** Command that installs it on Debian: `apt-get install gpgv`. */
  readonly install: string
  /** Needed only by some commands or options: said by `zos doctor`. */
  readonly optional?: boolean
  /** Only actions run it: where the config has a toolchain of its own, it is that one's. */
  readonly sandboxed?: boolean
}

/** What a toolchain made of the host consists of. */
export interface HostToolchainSpec {
  /** Programs, found on PATH or given as absolute paths. Their digests are part of the identity. */
  readonly tools: readonly string[]
  /** Host packages (dpkg) whose versions are part of the identity: compilers bring libraries. */
  readonly packages?: readonly string[]
  /** Folders of the host shown read-only inside the sandbox; `identity` names files in it that change with it. */
  readonly folders?: Readonly<Record<string, { readonly from: string; readonly identity: readonly string[] }>>
}

/** A toolchain as a value: its identity is part of the key of every action that runs with it. */
export interface Toolchain {
  /** Digest of all that decides what the tools do. */
  readonly identity: string
  /** What to show people: `rustc-web 1.96.0, zig 0.17.0`. */
  readonly title: string
  /** Absolute path of each tool, by the name asked for. */
  readonly tools: Readonly<Record<string, string>>
  /** Host folders to show, by their place in the sandbox. */
  readonly folders: Readonly<Record<string, string>>
  /** The root file system that commands run in; the host's own programs where there is none. */
  readonly root?: FileTree
}
