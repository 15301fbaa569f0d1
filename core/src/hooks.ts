// The hooks: a complete list. Every tap is wrapped once (phases/), so that an error says plugin, hook and subject.
import { AsyncParallelHook, AsyncSeriesBailHook, AsyncSeriesHook, AsyncSeriesWaterfallHook, HookMap } from 'tapable'
import type { FetchContext, PackContext, Plan, PublishContext, TapContext, TreeView } from './context.js'
import type { Artifact } from './model/artifact.js'
import type { Json } from './model/canonical.js'
import type { Component } from './model/component.js'
import type { Delta, DeltaBuilder } from './model/delta.js'
import type { Finding, OutputSpec, Packed, Receipt } from './model/output.js'
import type { Fetched, PinnedSource, Source } from './model/source.js'

/** What a tap of each hook looks like. */
export interface Taps {
  /** Declares sources, components, outputs, wishes and pins. */
  resolve: (plan: Plan) => void | Promise<void>
  /** Finds what a source stands for now; `null` where the source states its own digest. By source kind. */
  pin: (source: Source, ctx: FetchContext) => Promise<Json>
  /** Brings a pinned source in and checks it. By source kind. */
  fetch: (source: PinnedSource, ctx: FetchContext) => Promise<Fetched>
  /** Makes an artifact of a component. By component kind. */
  build: (component: Component, ctx: TapContext) => Promise<Artifact>
  /** Adds to the root file system. */
  assemble: (tree: TreeView, ctx: TapContext) => Promise<Delta | DeltaBuilder>
  /** Transforms files of the finished root file system. */
  optimize: (tree: TreeView, ctx: TapContext) => Promise<Delta | DeltaBuilder>
  /** Looks at the finished tree; an empty list means that all is well. */
  check: (tree: TreeView, ctx: TapContext) => Promise<readonly Finding[]>
  /** Makes an output. By output format. */
  pack: (output: OutputSpec, ctx: PackContext) => Promise<Packed>
  /** Sends outputs somewhere. */
  publish: (ctx: PublishContext) => Promise<readonly Receipt[]>
}
export type HookName = keyof Taps
export const hookNames = [
  'resolve',
  'pin',
  'fetch',
  'build',
  'assemble',
  'optimize',
  'check',
  'pack',
  'publish',
] as const satisfies readonly HookName[]

/** Hooks whose taps are chosen by a kind: of source, component or output format. */
export type KindHookName = 'pin' | 'fetch' | 'build' | 'pack'
export type PlainHookName = Exclude<HookName, KindHookName>

/** A tap's name within its plugin, which is also its step's name, and when it runs among the others: config order between. */
export type TapOptions = string | { readonly name: string; readonly order?: 'pre' | 'post' }

/** What `apply` gets: it taps, and does nothing else. */
export type Hooks = {
  readonly [H in PlainHookName]: { tap(options: TapOptions, tap: Taps[H]): void }
} & {
  readonly [H in KindHookName]: { for(kind: string): { tap(options: TapOptions, tap: Taps[H]): void } }
}

/** A tap as the engine holds it. */
export interface Tap<H extends HookName = HookName> {
  readonly hook: H
  readonly plugin: string
  readonly name: string
  readonly run: Taps[H]
}

/** The tapable hooks below; `value` is what the core passes along, `call` the core's wrapper of one tap. */
export type Visit<H extends HookName, V> = (tap: Tap<H>, value: V) => Promise<V>

const series = <H extends 'resolve' | 'publish'>() => new AsyncSeriesHook<[(tap: Tap<H>) => Promise<void>]>(['visit'])
const waterfall = <H extends 'assemble' | 'optimize'>() =>
  // biome-ignore lint/suspicious/noExplicitAny: the waterfall's value is the core's own (a FileTree), set by the phase.
  new AsyncSeriesWaterfallHook<[any, Visit<H, any>]>(['value', 'visit'])
const parallel = () => new AsyncParallelHook<[(tap: Tap<'check'>) => Promise<void>]>(['visit'])
const byKind = <H extends KindHookName>() =>
  new HookMap(() => new AsyncSeriesBailHook<[(tap: Tap<H>) => Promise<unknown>], unknown>(['visit']))

/** The tapable side of the hooks, one set a build. */
export const createTapables = () => ({
  resolve: series<'resolve'>(),
  pin: byKind<'pin'>(),
  fetch: byKind<'fetch'>(),
  build: byKind<'build'>(),
  assemble: waterfall<'assemble'>(),
  optimize: waterfall<'optimize'>(),
  check: parallel(),
  pack: byKind<'pack'>(),
  publish: series<'publish'>(),
})
export type Tapables = ReturnType<typeof createTapables>

const stages = { pre: -100, post: 100 } as const

const tapableOptions = (plugin: string, options: TapOptions) => {
  const { name, order } = typeof options === 'string' ? { name: options, order: undefined } : options
  return { tap: name, tapable: { name: `${plugin}/${name}`, stage: order ? stages[order] : 0 } }
}

/** The plugin's side of the hooks: what it taps is passed to tapable with the plugin's id. */
export const hooksFor = (plugin: string, tapables: Tapables): Hooks => {
  const plain =
    <H extends 'resolve' | 'publish' | 'check'>(hook: H) =>
    (options: TapOptions, run: Taps[H]): void => {
      const named = tapableOptions(plugin, options)
      const tap: Tap<H> = { hook, plugin, name: named.tap, run }
      const target = tapables[hook] as unknown as AsyncSeriesHook<[(tap: Tap<H>) => Promise<void>]>
      target.tapPromise(named.tapable, (visit) => visit(tap))
    }
  const flowing =
    <H extends 'assemble' | 'optimize'>(hook: H) =>
    (options: TapOptions, run: Taps[H]): void => {
      const named = tapableOptions(plugin, options)
      const tap: Tap<H> = { hook, plugin, name: named.tap, run }
      const target = tapables[hook] as unknown as AsyncSeriesWaterfallHook<[unknown, Visit<H, unknown>]>
      target.tapPromise(named.tapable, (value, visit) => visit(tap, value))
    }
  const keyed =
    <H extends KindHookName>(hook: H) =>
    (kind: string) => ({
      tap: (options: TapOptions, run: Taps[H]): void => {
        const named = tapableOptions(plugin, options)
        const tap: Tap<H> = { hook, plugin, name: named.tap, run }
        const target = tapables[hook].for(kind) as unknown as AsyncSeriesBailHook<
          [(tap: Tap<H>) => Promise<unknown>],
          unknown
        >
        target.tapPromise(named.tapable, (visit) => visit(tap))
      },
    })
  return {
    resolve: { tap: plain('resolve') },
    check: { tap: plain('check') },
    publish: { tap: plain('publish') },
    assemble: { tap: flowing('assemble') },
    optimize: { tap: flowing('optimize') },
    pin: { for: keyed('pin') },
    fetch: { for: keyed('fetch') },
    build: { for: keyed('build') },
    pack: { for: keyed('pack') },
  }
}
