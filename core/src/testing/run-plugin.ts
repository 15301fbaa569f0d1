// Runs one plugin alone, phase by phase as a build does, on values in memory.
import { configError, type Problem, problemsOf } from '../config/check.js'
import type { Arch, Mode, PackContext, PinEntry, Plan, RequestedRef } from '../context.js'
import { ZosError } from '../error.js'
import { createTapables, type Hooks, hooksFor } from '../hooks.js'
import type { Action, ActionResult } from '../model/action.js'
import type { Artifact } from '../model/artifact.js'
import type { Json } from '../model/canonical.js'
import type { ComponentSpec } from '../model/component.js'
import { type Delta, DeltaBuilder } from '../model/delta.js'
import type { Finding, OutputSpec, Packed } from '../model/output.js'
import type { Package } from '../model/package.js'
import type { Fetched, Source } from '../model/source.js'
import { FileTree } from '../model/tree.js'
import type { Wish, WishToken } from '../model/wish.js'
import type { Descriptor } from '../plugin.js'
import { fetchContextIn, projectReader, tapContextIn, type World, worldTree } from './contexts.js'
import { MemoryBlobs } from './memory-blobs.js'
import { type TreeContent, treeChanges, treeOf } from './trees.js'

/** What the plugin finds. Everything may be left out; what it then asks for is the error `TEST_MISSING`. */
export interface Given {
  /** The root file system before it. Records without a plugin are those of the plugin `base`. */
  readonly tree?: TreeContent | FileTree
  /** Where contents of trees and files that are given as values lie. */
  readonly blobs?: MemoryBlobs
  /** Files of the project by path. */
  readonly project?: Readonly<Record<string, string | Uint8Array>>
  readonly env?: Readonly<Record<string, string>>
  readonly mode?: Mode
  readonly arch?: Arch
  /** Name of the image; `test` where nothing is said. */
  readonly name?: string
  /** Seconds since 1970; 0 where nothing is said. */
  readonly epoch?: number
  /** What its sources gave, by name. `path` sources are taken from `project`, others fetched by its own taps. */
  readonly fetched?: Readonly<Record<string, Fetched>>
  /** The network of its pins and fetchers: content by URL. */
  readonly downloads?: Readonly<Record<string, string | Uint8Array>>
  /** What components gave, by `plugin/component`: of other plugins, or in place of its own. */
  readonly artifacts?: Readonly<Record<string, Artifact>>
  /** What others wish of it, by token. */
  readonly wishes?: readonly (readonly [WishToken<never, never> | WishToken<unknown, unknown>, unknown])[]
  /** What the owners of other tokens settled, by the token's name. */
  readonly settled?: Readonly<Record<string, unknown>>
  /** References that the config makes to its components. */
  readonly requested?: readonly RequestedRef[]
  /** Outputs of others that its outputs are made of, by name. */
  readonly outputs?: Readonly<Record<string, string | Uint8Array>>
  /** Plays the sandbox: gives the tree that a command leaves. */
  readonly run?: (action: Action, blobs: MemoryBlobs) => FileTree | ActionResult | Promise<FileTree | ActionResult>
  /** Taps to run, as `hook` or `hook name`; all where nothing is said. `resolve` always runs. */
  readonly only?: readonly string[]
}

/** What came of it. */
export interface Ran {
  readonly blobs: MemoryBlobs
  /** What it declared. */
  readonly sources: ReadonlyMap<string, Source>
  readonly components: ReadonlyMap<string, ComponentSpec>
  readonly outputs: ReadonlyMap<string, OutputSpec>
  /** What it wished of others, by the token's name. */
  readonly wishes: ReadonlyMap<string, readonly unknown[]>
  /** What its pins answered, by name. */
  readonly pins: ReadonlyMap<string, Json>
  /** What its components gave, by `plugin/component`. */
  readonly artifacts: ReadonlyMap<string, Artifact>
  /** The root file system after it. */
  readonly tree: FileTree
  /** What it changed, as `treeChanges` says it. */
  readonly changes: readonly string[]
  readonly findings: readonly Finding[]
  readonly packed: ReadonlyMap<string, Packed>
  readonly explained: readonly string[]
  readonly details: readonly string[]
  /** `CODE message`. */
  readonly warnings: readonly string[]
  readonly packages: readonly Package[]
  /** Commands that it asked for. */
  readonly actions: readonly Action[]
  /** Text of a file of the tree, links followed; `undefined` where there is none. */
  text(path: string): string | undefined
}

const byHook = (descriptor: Descriptor) => {
  const tapables = createTapables()
  const { id, options, definition } = descriptor
  const hooks: Hooks = hooksFor(id, tapables)
  definition.apply(hooks, options, { id })
  return tapables
}

const checked = (descriptor: Descriptor): void => {
  // References lead to plugins that are not there: a plugin alone is what this is about.
  const problems = problemsOf({ name: 'test', plugins: [descriptor] }, new Set()).filter(
    ({ message }: Problem) => !message.startsWith('refers to '),
  )
  if (problems.length > 0) throw configError('the test', problems)
}

interface Declared {
  readonly sources: Map<string, Source>
  readonly components: Map<string, ComponentSpec>
  readonly outputs: Map<string, OutputSpec>
  readonly wishes: Map<string, unknown[]>
  readonly owned: { name: string; settle: (wishes: readonly Wish<unknown>[]) => unknown }[]
  readonly pins: PinEntry<Json, Json>[]
}

const planIn = (world: World, declared: Declared): Plan => {
  const context = fetchContextIn(world)
  return {
    ...world.settings,
    progress: context.progress,
    warn: context.warn,
    project: projectReader(world),
    wish: (token, value) => {
      declared.wishes.set(token.name, [...(declared.wishes.get(token.name) ?? []), value])
    },
    own: (token, settle) => {
      declared.owned.push({ name: token.name, settle: settle as never })
    },
    requested: () => world.given.requested ?? [],
    source: (name, source) => {
      declared.sources.set(name, source)
    },
    component: (spec) => {
      declared.components.set(spec.name, spec)
    },
    output: (spec) => {
      declared.outputs.set(spec.name, spec)
    },
    pin: (entry) => {
      declared.pins.push(entry as unknown as PinEntry<Json, Json>)
    },
  }
}

/** Components after those that they need. */
const inOrder = (components: ReadonlyMap<string, ComponentSpec>, plugin: string): ComponentSpec[] => {
  const order = new Set<ComponentSpec>()
  const add = (spec: ComponentSpec, way: readonly string[]): void => {
    if (way.includes(spec.name)) throw new ZosError('GRAPH_CYCLE', `${[...way, spec.name].join(' → ')} need each other`)
    for (const need of spec.needs ?? []) {
      const own = need.plugin === plugin ? components.get(need.component) : undefined
      if (own && own !== spec) add(own, [...way, spec.name])
    }
    order.add(spec)
  }
  for (const spec of components.values()) add(spec, [])
  return [...order]
}

/**
 * Runs a plugin alone: options checked, then resolve, fetch, build, assemble, optimize, check and pack, each with the
 * plugin's own taps. Nothing is remembered, and no file, process or network is used.
 *
 *     const ran = await runPlugin(motd({ text: 'motd.txt' }), { project: { 'motd.txt': 'Hello.\n' } })
 *     assert.equal(ran.changes, ['+ /etc/motd file 0644'])
 */
export const runPlugin = async (descriptor: Descriptor, given: Given = {}): Promise<Ran> => {
  checked(descriptor)
  const { id } = descriptor
  const tapables = byHook(descriptor)
  const blobs = given.blobs ?? new MemoryBlobs()
  const world: World = {
    given,
    blobs,
    settings: {
      arch: given.arch ?? 'x86_64',
      mode: given.mode ?? 'debug',
      name: given.name ?? 'test',
      epoch: given.epoch ?? 0,
    },
    fetched: new Map(Object.entries(given.fetched ?? {})),
    artifacts: new Map(Object.entries(given.artifacts ?? {})),
    settled: new Map(Object.entries(given.settled ?? {})),
    explained: [],
    details: [],
    warnings: [],
    packages: [],
    actions: [],
  }
  const isAsked = (hook: string, name: string): boolean =>
    given.only === undefined || given.only.includes(hook) || given.only.includes(`${hook} ${name}`)

  const declared: Declared = {
    sources: new Map(),
    components: new Map(),
    outputs: new Map(),
    wishes: new Map(),
    owned: [],
    pins: [],
  }
  const plan = planIn(world, declared)
  await tapables.resolve.promise(async (tap) => tap.run(plan))
  for (const { name, settle } of declared.owned) {
    const own = declared.wishes.get(name) ?? []
    const others = (given.wishes ?? []).flatMap(([token, value]) => (token.name === name ? [value] : []))
    world.settled.set(
      name,
      settle([...own.map((value) => ({ value, by: id })), ...others.map((value) => ({ value, by: 'other' }))]),
    )
  }
  const fetching = fetchContextIn(world)
  const pins = new Map<string, Json>()
  for (const entry of declared.pins) {
    const request = entry.request((token) => (world.settled.get(token.name) ?? []) as never)
    const pin = await entry.answer(request, fetching, undefined)
    pins.set(entry.name, pin)
    entry.then(pin, plan)
  }
  for (const [name, source] of declared.sources) {
    if (world.fetched.has(name)) continue
    if (source.kind === 'path') {
      world.fetched.set(name, { tree: await plan.project.folder(String(source.path)) })
      continue
    }
    const pin = ((await tapables.pin.for(source.kind).promise((tap) => tap.run(source, fetching))) as Json) ?? null
    const got = await tapables.fetch.for(source.kind).promise((tap) => tap.run({ name, source, pin }, fetching))
    if (pin !== null) pins.set(name, pin)
    if (got) world.fetched.set(name, got as Fetched)
  }

  const ctx = tapContextIn(world)
  for (const spec of inOrder(declared.components, id)) {
    const component = { ...spec, id: `${id}/${spec.name}`, plugin: id }
    if (world.artifacts.has(component.id) || !isAsked('build', spec.name)) continue
    const artifact = await tapables.build.for(spec.kind).promise((tap) => tap.run(component, ctx))
    if (!artifact) throw new ZosError('COMPONENT_KIND', `${id} builds no components of kind ${spec.kind}`)
    world.artifacts.set(component.id, artifact as Artifact)
  }

  const base = given.tree instanceof FileTree ? given.tree : ownedBy('base', treeOf(given.tree ?? {}, blobs))
  let tree = base
  for (const hook of ['assemble', 'optimize'] as const)
    tree = await tapables[hook].promise(tree, async (tap, now: FileTree) => {
      if (!isAsked(hook, tap.name)) return now
      const delta = deltaOf(await tap.run(worldTree(world, now), ctx))
      for (const content of delta.contents.values()) blobs.add(content)
      return now.apply(delta, { plugin: id, keepsOwners: hook === 'optimize' })
    })

  const findings: Finding[] = []
  await tapables.check.promise(async (tap) => {
    if (isAsked('check', tap.name)) findings.push(...(await tap.run(worldTree(world, tree), ctx)))
  })

  const packed = new Map<string, Packed>()
  for (const spec of declared.outputs.values()) {
    if (!isAsked('pack', spec.name)) continue
    const packing: PackContext = {
      ...ctx,
      root: worldTree(world, tree),
      output: async (name) => {
        const own = packed.get(name)
        const other = given.outputs?.[name]
        if (own) return own
        if (other !== undefined) return { blob: blobs.add(other) }
        throw new ZosError('TEST_MISSING', `the plugin asked for the output ${name}`, {
          hint: `give it to runPlugin: outputs: { '${name}': … }`,
        })
      },
    }
    const made = await tapables.pack.for(spec.format).promise((tap) => tap.run(spec, packing))
    if (made) packed.set(spec.name, made as Packed)
  }

  return {
    ...{ blobs, tree, findings, packed, pins },
    ...{ sources: declared.sources, components: declared.components, outputs: declared.outputs },
    wishes: declared.wishes,
    artifacts: world.artifacts,
    changes: treeChanges(base, tree),
    ...{
      explained: world.explained,
      details: world.details,
      warnings: world.warnings,
      packages: world.packages,
      actions: world.actions,
    },
    text: (path) => {
      const target = tree.resolve(path)
      const entry = target === undefined ? undefined : tree.get(target)
      return entry?.kind === 'file' ? Buffer.from(blobs.get(entry.blob)).toString('utf8') : undefined
    },
  }
}

const ownedBy = (plugin: string, tree: FileTree): FileTree =>
  FileTree.from([...tree.records()].map((record) => ({ ...record, origin: record.origin ?? { plugin } })))

const deltaOf = (delta: Delta | DeltaBuilder | undefined): Delta => {
  if (delta === undefined)
    throw new ZosError('TAP_NOTHING', 'the tap gave nothing back', { hint: 'return the delta: return tree.delta()…' })
  return delta instanceof DeltaBuilder ? delta.build() : delta
}
