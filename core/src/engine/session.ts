import type { Config } from '../config/load.js'
import type { Settings } from '../context.js'
import type { ExecutorName } from '../exec/executor.js'
import type { KeptContainer } from '../exec/kept-container.js'
import { type Hooks, hooksFor, type Tapables } from '../hooks.js'
import type { JobServer } from '../io/job-server.js'
import type { Mirror } from '../io/mirror-read.js'
import type { Network } from '../io/network.js'
import type { FileDigests, Project } from '../io/project.js'
import type { Json } from '../model/canonical.js'
import type { Component } from '../model/component.js'
import type { LockBook } from '../model/lock.js'
import type { OutputSpec } from '../model/output.js'
import type { BilledPackage } from '../model/package.js'
import type { PinnedSource } from '../model/source.js'
import type { Report } from '../report/report.js'
import type { RecordedAction, StepHistory } from '../store/records.js'
import type { Store } from '../store/store.js'
import type { Limiter } from './limiter.js'
import type { Planner } from './planner.js'
import type { StoredArtifact } from './stored-artifact.js'
import type { Verification } from './verify.js'

/** What the command line says about one build. */
export interface BuildFlags {
  readonly offline: boolean
  /** Lock as it is, or an error; on in release mode. */
  readonly frozen: boolean
  /** How many actions and taps run at once. */
  readonly jobs: number
  /** Which steps run even though they are remembered. */
  readonly force: (step: string, position: StepPosition) => boolean
  /** Take nothing from the store: not even the results of pure functions. */
  readonly forget: boolean
  readonly executor: ExecutorName
  /** Whether it was named; else another may take its place where it does not work. */
  readonly isExecutorAsked: boolean
  /** A container that takes all commands, as `zos container build` has it. */
  readonly container?: KeptContainer | undefined
  /** Take what was fetched before; CACHE_DOWNLOADS=false fetches everything anew. */
  readonly cacheDownloads: boolean
  /** Refuse a download that is not what its digest says; VERIFY_CHECKSUMS=false takes it with a warning. */
  readonly verifyChecksums: boolean
  /** Lock entries to ask anew: plugin ids, `plugin/entry`, or all. */
  readonly update: 'all' | ReadonlySet<string> | undefined
}

/** Where a step stands in the order of phases, for `--rebuild-from`. */
export interface StepPosition {
  readonly phase: Phase
}

export const phases = ['resolve', 'fetch', 'build', 'assemble', 'optimize', 'check', 'pack', 'publish'] as const
export type Phase = (typeof phases)[number]

/** What was declared and pinned: the outcome of the resolve phase. */
export interface ResolvedPlan {
  /** By id, `<plugin>/<name>`. */
  readonly sources: Map<string, PinnedSource & { readonly plugin: string }>
  readonly components: Map<string, Component>
  readonly outputs: Map<string, OutputSpec & { readonly plugin: string }>
  /** Settled wishes by token name. */
  readonly settled: ReadonlyMap<string, Json>
}

/** What a fetched source is in the store. */
export interface StoredFetched {
  readonly blob?: { readonly sha256: string; readonly size: number }
  readonly tree?: { readonly digest: string; readonly blob: { readonly sha256: string; readonly size: number } }
  readonly facts?: Json
  /** Names of further sources, which are ids below this one. */
  readonly sources?: Readonly<Record<string, Json>>
}

/** Everything one build of one config works with. */
export interface Session {
  readonly config: Config
  readonly settings: Settings
  readonly flags: BuildFlags
  readonly store: Store
  readonly digests: FileDigests
  readonly project: Project
  readonly network: Network
  /** Asked before those that a source names. */
  readonly mirror: Mirror | undefined
  readonly report: Report
  /** Aborted by Ctrl-C, and when a step failed: nothing goes on that nobody waits for. */
  readonly signal: AbortSignal
  /** Commands that run now. */
  readonly running: Set<Promise<unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly lock: LockBook
  readonly tapables: Tapables
  readonly limiter: Limiter
  /** Where several builds share their jobs. */
  readonly jobServer: JobServer | undefined
  readonly now: () => number
  /** Digest of the core's code, a colon, and the digest of the plugin's. */
  readonly codeOf: (plugin: string) => string
  readonly optionsOf: (plugin: string) => Json
  /** Set where nothing is to run: every step is judged instead. */
  planner?: Planner
  /** Set by the resolve phase. */
  plan?: ResolvedPlan
  readonly steps: StepHistory[]
  /** What `--verify-cache` runs again. */
  readonly verification: Verification
  /** Filled by the phases, each promise made once. */
  readonly fetched: Map<string, StoredFetched>
  /** Keys of what was fetched by this build. */
  readonly fetchedAnew: Set<string>
  /** Steps that took a download although it is not what its digest says: their results are not kept. */
  readonly unverified: Set<string>
  readonly artifacts: Map<string, Promise<StoredArtifact>>
  /** The bill of materials, by package URL. */
  readonly packages: Map<string, BilledPackage>
  /** Commands of this build's steps, run or remembered: by step and key. */
  readonly actions: Map<string, RecordedAction & { readonly step: string }>
  /** Toolchains of this build's steps, by plugin and title. */
  readonly toolchains: Map<string, { readonly identity: string; readonly title: string }>
}

/** What fetchers need of a session; a command has that much without a build. */
export type FetchSession = Pick<
  Session,
  | 'settings'
  | 'flags'
  | 'store'
  | 'digests'
  | 'project'
  | 'network'
  | 'mirror'
  | 'report'
  | 'signal'
  | 'env'
  | 'now'
  | 'verification'
  | 'fetchedAnew'
  | 'unverified'
>

/** Taps every plugin once, in config order. */
export const tapPlugins = (
  tapables: Tapables,
  plugins: readonly {
    id: string
    options: unknown
    definition: { apply(h: Hooks, o: never, p: { id: string }): void }
  }[],
): void => {
  for (const { id, options, definition } of plugins) definition.apply(hooksFor(id, tapables), options as never, { id })
}
