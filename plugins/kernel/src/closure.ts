import { closest, ZosError } from '@zos/core'
import type { ModuleFacts, ModuleIndex } from './module-index.js'
import { canonicalName } from './module-name.js'
import { type Stage, stages, type WantedModule, type WantedModules } from './modules-conf.js'

export interface StageClosure {
  /** What was asked for and is a module, canonical, in the order asked. */
  readonly names: readonly string[]
  /** All that modprobe loads for it, in a possible order: what is needed comes first. Not what an earlier stage loads. */
  readonly order: readonly string[]
}

export interface Closure {
  readonly stages: Readonly<Record<Stage, StageClosure>>
  /** What belongs into the image, sorted by path: both orders, and what is only asked for by the drivers themselves. */
  readonly modules: readonly ModuleFacts[]
  /** What was asked for and is part of the kernel image, sorted. */
  readonly builtin: readonly string[]
}

/** Longest chain of dependencies followed; real kernels stay below 30. */
const depthLimit = 500

/**
 * Adds to the wanted modules all they need: `depends` must be there, softdeps (`pre`, `post`) and weak ones may be
 * absent. All missing names come in one error, with near matches. A name wanted by both stages is of stage 1.
 */
export const moduleClosure = (index: ModuleIndex, wanted: WantedModules): Closure => {
  const lookup = moduleLookup(index)
  const requested = stages.map((stage) => resolveWanted(wanted[stage], lookup))
  failOnMissing(
    index,
    lookup,
    requested.flatMap(({ missing }) => missing),
  )
  const walk = new LoadOrder(lookup)
  const closed = requested.map(({ modules }) => {
    const from = walk.order.length
    for (const module of modules) walk.load(module)
    return walk.order.slice(from).map(({ name }) => name)
  })
  const [first, second] = requested.map(({ modules }) => [...new Set(modules.map(({ name }) => name))])
  return {
    stages: {
      stage1: { names: first!, order: closed[0]! },
      stage2: { names: second!.filter((name) => !first!.includes(name)), order: closed[1]! },
    },
    modules: walk.withWeak().sort((a, b) => (a.path < b.path ? -1 : 1)),
    builtin: [...new Set(requested.flatMap(({ builtin }) => builtin))].sort(),
  }
}

interface ModuleLookup {
  readonly byName: ReadonlyMap<string, ModuleFacts>
  readonly byAlias: ReadonlyMap<string, readonly ModuleFacts[]>
  readonly builtin: ReadonlySet<string>
}

const moduleLookup = (index: ModuleIndex): ModuleLookup => {
  const byAlias = new Map<string, ModuleFacts[]>()
  for (const module of index.modules) {
    for (const alias of module.aliases) byAlias.set(alias, [...(byAlias.get(alias) ?? []), module])
  }
  return {
    byName: new Map(index.modules.map((module) => [module.name, module])),
    byAlias,
    builtin: new Set(index.builtin.map(({ name }) => name)),
  }
}

const resolveWanted = (wanted: readonly WantedModule[], { byName, builtin }: ModuleLookup) => {
  const found = { modules: [] as ModuleFacts[], builtin: [] as string[], missing: [] as WantedModule[] }
  for (const want of wanted) {
    const name = canonicalName(want.name)
    const module = byName.get(name)
    if (module) found.modules.push(module)
    else if (builtin.has(name)) found.builtin.push(name)
    else found.missing.push(want)
  }
  return found
}

const failOnMissing = (index: ModuleIndex, lookup: ModuleLookup, missing: readonly WantedModule[]): void => {
  if (missing.length === 0) return
  const { byName, byAlias, builtin } = lookup
  const lines = missing.map(({ name, by }) => {
    const aliased = byAlias.get(canonicalName(name))?.map((module) => module.name)
    if (aliased) return `${by}: ${name} is an alias of ${aliased.join(', ')}, not a module`
    const near = closest(canonicalName(name), [...byName.keys(), ...builtin])
    return `${by}: kernel ${index.version} has no module ${name}${near.length > 0 ? `; near: ${near.join(', ')}` : ''}`
  })
  throw new ZosError('KERNEL_MODULE_MISSING', lines.join('\n'), {
    hint: 'correct the names, or take a kernel whose config has these drivers',
    data: { missing: missing.map(({ name }) => name) },
  })
}

/** Loads modules as libkmod does: hard dependencies, then pre softdeps, the module, post softdeps; each once. */
class LoadOrder {
  readonly order: ModuleFacts[] = []
  readonly #done = new Set<string>()
  readonly #active = new Set<string>()
  readonly #lookup: ModuleLookup

  constructor(lookup: ModuleLookup) {
    this.#lookup = lookup
  }

  load(module: ModuleFacts, depth = 0): void {
    if (this.#active.has(module.name)) return
    if (depth > depthLimit) {
      throw new ZosError('KERNEL_MODULE_TREE', `${module.name}: dependencies nest deeper than ${depthLimit}`)
    }
    this.#active.add(module.name)
    for (const needed of this.#needed(module)) this.#require(needed, depth + 1)
    for (const soft of this.#soft(module.pre)) this.load(soft, depth + 1)
    this.#put(module)
    for (const soft of this.#soft(module.post)) this.load(soft, depth + 1)
  }

  /** The order plus, transitively, what is weakly wanted; the latter is in the image and not loaded. */
  withWeak(): ModuleFacts[] {
    const all = new LoadOrder(this.#lookup)
    for (const module of this.order) all.load(module)
    for (let at = 0; at < all.order.length; at += 1) {
      for (const weak of all.#soft(all.order[at]!.weak)) all.load(weak)
    }
    return all.order
  }

  /** A hard dependency goes before its user even when a cycle of softdeps has begun with it and not yet put it. */
  #require(module: ModuleFacts, depth: number): void {
    if (this.#done.has(module.name)) return
    if (this.#active.has(module.name)) {
      if (depth > depthLimit) throw cycle(module)
      for (const needed of this.#needed(module)) this.#require(needed, depth + 1)
      this.#put(module)
    } else this.load(module, depth)
  }

  #put(module: ModuleFacts): void {
    if (this.#done.has(module.name)) return
    this.#done.add(module.name)
    this.order.push(module)
  }

  #needed(module: ModuleFacts): ModuleFacts[] {
    return module.depends.flatMap((name) => {
      const needed = this.#lookup.byName.get(name)
      if (needed) return [needed]
      if (this.#lookup.builtin.has(name)) return []
      throw new ZosError(
        'KERNEL_MODULE_TREE',
        `${module.path} needs module ${name}, which the kernel's tree does not have`,
        {
          hint: 'the kernel package is damaged or its modules are split over several packages: name all of them',
        },
      )
    })
  }

  /** A softdep is a module's name or an alias, which may stand for several modules; a name goes before an alias. */
  #soft(names: readonly string[]): ModuleFacts[] {
    return names.flatMap((name) => {
      const module = this.#lookup.byName.get(name)
      return module ? [module] : (this.#lookup.byAlias.get(name) ?? [])
    })
  }
}

const cycle = (module: ModuleFacts): ZosError =>
  new ZosError('KERNEL_MODULE_TREE', `${module.path} needs itself, through: ${module.depends.join(', ')}`)
