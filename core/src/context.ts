// What taps and fetchers get: their only way to the world. Whatever a tap reads here is recorded and decides, on the
// next build, whether the tap runs again.
import type { Action, ActionResult } from './model/action.js'
import type { Artifact, Ref } from './model/artifact.js'
import type { Blobs } from './model/blobs.js'
import type { Json } from './model/canonical.js'
import type { ComponentSpec } from './model/component.js'
import type { DeltaBuilder } from './model/delta.js'
import type { Blob, Entry, TreeRecord } from './model/entry.js'
import type { ObjectLocation, ObjectStore } from './model/object-store.js'
import type { Output, OutputSpec, Packed } from './model/output.js'
import type { Package } from './model/package.js'
import type { Fetched, PinnedSource, Source } from './model/source.js'
import type { HostToolchainSpec, Toolchain } from './model/toolchain.js'
import type { FileTree } from './model/tree.js'
import type { Wish, WishToken } from './model/wish.js'

export type Arch = 'x86_64' | 'aarch64'
export type Mode = 'debug' | 'release'

/** Settings of the build that every context shows. */
export interface Settings {
  /** The image's architecture. */
  readonly arch: Arch
  readonly mode: Mode
  /** Name of the config (`quickstart`). */
  readonly name: string
  /** Seconds since 1970 that every output carries; from the lock, or SOURCE_DATE_EPOCH. */
  readonly epoch: number
}

/** Files of the project and the environment. Paths are relative to the project root; a missing file is `FILE_MISSING`. */
export interface ProjectReader {
  bytes(path: string): Promise<Uint8Array>
  /** `secret`: the file holds keys; of what it says only the digest is kept, and no line of it is ever told. */
  text(path: string, options?: { readonly secret?: boolean }): Promise<string>
  /** Paths that match a pattern (`config/zinit/*.yaml`), sorted; `.gitignore` is followed. */
  glob(pattern: string): Promise<readonly string[]>
  /** A folder as a tree, owned by root; `.gitignore` is followed. */
  folder(path: string): Promise<FileTree>
  env(name: string): string | undefined
}

/** Progress and warnings; they change nothing. */
export interface Reporting {
  /** One line about what is going on now; `done` of `total` where they are known. */
  progress(text: string, done?: number, total?: number): void
  /** Shown once at the end of the build, and in `build.log`. */
  warn(code: string, message: string, hint?: string): void
}

/** A reference that an option of this config makes to a plugin's component. */
export interface RequestedRef {
  readonly component: string
  readonly slot: string
  readonly params: Json
}

/** What the `resolve` taps get. They declare; what others declare cannot be read back. */
export interface Plan extends Settings, Reporting {
  /** Reads of the project; resolve runs on every build and is not remembered. */
  readonly project: ProjectReader
  /** Asks the owner of a token for something. */
  wish<T, S>(token: WishToken<T, S>, value: T): void
  /** Owns a token: gets all wishes, sorted, and settles them; throws where two contradict. */
  own<T, S>(token: WishToken<T, S>, settle: (wishes: readonly Wish<T>[]) => S): void
  /** References of this config to this plugin's components. */
  requested(): readonly RequestedRef[]
  /** Something to fetch, by a name that is unique within the plugin. */
  source(name: string, source: Source): void
  component(component: ComponentSpec): void
  output(output: OutputSpec): void
  /** An entry of the lock: the question, how to answer it, and what to declare from the answer. */
  pin<Request extends Json, Pin extends Json>(entry: PinEntry<Request, Pin>): void
}

/** What may be declared from a pin. */
export type PinnedPlan = Pick<Plan, 'source' | 'component' | 'output' | 'warn'>

export interface PinEntry<Request, Pin> {
  /** Unique within the plugin; `zos update <plugin>` and `zos update <plugin>/<name>` move it. */
  readonly name: string
  /** The question as plain data; made when all wishes are settled. The lock keeps it beside the answer. */
  request(settled: Settled): Request
  /** Answers it; the only place that asks the network about what can change. `previous`: the old answer, to keep what still fits. */
  answer(request: Request, ctx: FetchContext, previous: Pin | undefined): Promise<Pin>
  /** Declares sources, components and outputs from the answer. */
  then(pin: Pin, plan: PinnedPlan): void
}

/** The settled wishes, by token. A token that nobody wished for gives what its owner makes of no wishes. */
export type Settled = <T, S>(token: WishToken<T, S>) => S

/** A command on the host with network: fetchers and commands only. */
export interface HostCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Added to the user's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Folder to start in, below the scratch folder. */
  readonly cwd?: string
}

/** A private folder for one fetch; removed afterwards. Paths are relative to it. */
export interface Scratch {
  /** Absolute path on this machine: for command lines only, never for what is kept. */
  readonly path: string
  write(path: string, content: string | Uint8Array | Blob): Promise<void>
  writeTree(path: string, tree: FileTree): Promise<void>
  text(path: string): Promise<string>
  /** The content taken into the store. */
  blob(path: string): Promise<Blob>
  tree(path: string): Promise<FileTree>
}

/** What fetchers and pins get: the network, host commands, and the store. */
export interface FetchContext extends Settings, Reporting {
  readonly project: ProjectReader
  readonly blobs: Blobs
  readonly offline: boolean
  /** The time now, in seconds since 1970: for what expires, never for what is kept. */
  readonly now: number
  readonly signal: AbortSignal
  /** The user's own environment, for programs that reach servers by the user's configuration. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Downloads with retry, resume, mirrors and limits; the digest is checked before the store takes it. */
  download(urls: readonly string[], options?: { sha256?: string; size?: number; maxSize?: number }): Promise<Blob>
  /**
   * A file that may change, such as an index: the server is asked each time, and sends it only when it is another one
   * than last time. Offline it is the one of last time.
   */
  refresh(urls: readonly string[], options?: { maxSize?: number }): Promise<Blob>
  /** Runs a program on the host, in the scratch folder; gives what it printed. Non-zero exit is `PROCESS_FAILED`. */
  run(command: HostCommand): Promise<{ readonly stdout: string; readonly stderr: string }>
  /** Whether the host has a program. */
  has(tool: string): Promise<boolean>
  /** A file of the host's own configuration by absolute path, such as apt's sources; `undefined` where it is missing. */
  hostText(path: string): Promise<string | undefined>
  /** Absolute paths of the host that match a pattern, sorted. */
  hostGlob(pattern: string): Promise<readonly string[]>
  scratch(): Promise<Scratch>
  /** Keeps the outcome of a pure function of `input` in the store (a parsed index). */
  remember(name: string, input: Json, compute: () => Promise<Artifact>): Promise<Artifact>
  /** Fetches a further source now, through the hook of its kind. */
  fetch(source: PinnedSource): Promise<Fetched>
}

/** What every remembered tap gets. All reads are recorded. */
export interface TapContext extends Settings, Reporting {
  readonly project: ProjectReader
  /** Content by digest; reading it needs no record, since the digest says all. */
  readonly blobs: Blobs
  /** Adds to what the summary says of this run, beside its reason: `1 of 31 blocks: zinit`. */
  explain(text: string): void
  /** Lines that `zos explain STEP` shows of this run: a table of what was done to which file, and why. */
  detail(...lines: readonly string[]): void
  /** Puts a package into the bill of materials (`sbom.spdx.json`), once per `purl`; it is remembered with the run. */
  package(one: Package): void
  /** The settled wishes of a token. */
  settled<T, S>(token: WishToken<T, S>): S
  /** What a source of this plugin gave. */
  fetched(name: string): Promise<Fetched>
  artifact(reference: Ref): Promise<Artifact>
  /** The tree in the reference's slot; a slot that is not there is `ARTIFACT_SLOT`. */
  tree(reference: Ref): Promise<FileTree>
  /** The file in the reference's slot. */
  fileOf(reference: Ref): Promise<Blob>
  /** A toolchain made of the host's own tools; a missing tool is `HOST_TOOL_MISSING`. */
  host(spec: HostToolchainSpec): Promise<Toolchain>
  /** Runs an external command, or takes its remembered result. */
  run(action: Action): Promise<ActionResult>
  /**
   * Keeps the outcome of a pure function of `input` (one file, one package), so that a tap that reruns does only what is
   * new. The key is `name` (with a version of its own: `strip-1`), the plugin and `input`.
   */
  remember(name: string, input: Json, compute: () => Promise<Artifact>): Promise<Artifact>
  /**
   * Bytes that contents take when they are compressed by themselves, one after the other, as the image is (`initramfs` of the
   * config). Remembered by their digests.
   */
  packedSize(...contents: readonly Blob[]): Promise<number>
}

/** The root file system as a tap sees it; what is looked at is recorded. */
export interface TreeView {
  get(path: string): Entry | undefined
  /** The path with all links followed, inside the tree. */
  resolve(path: string): string | undefined
  list(path: string): readonly string[]
  glob(pattern: string): readonly TreeRecord[]
  subtree(path: string): FileTree
  /** The whole tree: the tap reruns whenever anything changes. */
  all(): FileTree
  /** Content of a file, links followed; a missing file is `TREE_MISSING`. */
  read(path: string): Promise<Uint8Array>
  text(path: string): Promise<string>
  /** A new delta. */
  delta(options?: { readonly over?: 'any' | readonly string[] }): DeltaBuilder
}

/** What pack taps get: the finished tree, and the outputs that they are made of. */
export interface PackContext extends TapContext {
  readonly root: TreeView
  output(name: string): Promise<Packed>
}

/** What publish taps get: the finished outputs, and the way to where they go. Nothing here is remembered. */
export interface PublishContext extends Settings, Reporting {
  /**
   * References in the config's `publish` list to this plugin, in the list's order, without those that are switched off:
   * `UPLOAD_KERNEL` switches components named `kernels`, `UPLOAD_MANIFESTS` those named `manifests`.
   */
  readonly targets: readonly RequestedRef[]
  readonly outputs: readonly Output[]
  readonly blobs: Blobs
  /** Reads of the project and the environment: a file of keys that git ignores, variables that name a bucket. */
  readonly project: ProjectReader
  /** The time now, in seconds since 1970. */
  readonly now: number
  readonly signal: AbortSignal
  /** Opens a secret option; `SECRET_MISSING` where its variable is not set. */
  secret(value: unknown): string
  artifact(reference: Ref): Promise<Artifact>
  tree(reference: Ref): Promise<FileTree>
  /** Opens a folder or an S3 bucket; its keys are masked in all that is said from now on. */
  objects(location: ObjectLocation): Promise<ObjectStore>
}
