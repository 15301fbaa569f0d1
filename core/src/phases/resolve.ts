// resolve: declare → settle → pin. What is declared ends in the plan, what was answered in the lock.
import type { FetchContext, PinEntry, Plan, RequestedRef, Settled } from '../context.js'
import type { ResolvedPlan, Session } from '../engine/session.js'
import { given, placed, placedSource } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { Tap } from '../hooks.js'
import { fetchContext } from '../io/network.js'
import { isRef, type Ref } from '../model/artifact.js'
import { canonical, type Json, normalized } from '../model/canonical.js'
import { differences, entryNames, sourceEntry } from '../model/lock.js'
import { isLiveSource, type Source } from '../model/source.js'
import type { Wish, WishToken } from '../model/wish.js'
import { fetchPinned } from './fetch.js'

interface Declared {
  readonly wishes: Map<string, Wish<unknown>[]>
  readonly owners: Map<string, { plugin: string; settle: (wishes: readonly Wish<unknown>[]) => unknown }>
  readonly pins: { plugin: string; tap: Tap; entry: PinEntry<Json, Json> }[]
  readonly sources: Map<string, { plugin: string; name: string; source: Source }>
}

const twice = (what: string, id: string): ZosError =>
  new ZosError('PLAN_TWICE', `${what} ${id} is declared twice`, { hint: 'names are unique within a plugin' })

/** Declares into the plan for one plugin. */
const planFor = (
  session: Session,
  plugin: string,
  tap: Tap,
  declared: Declared,
  plan: ResolvedPlan,
  requested: readonly (RequestedRef & { plugin: string })[],
): Plan => ({
  ...session.settings,
  project: session.project,
  progress: (text, done, total) => session.report.progress(`${plugin}/${tap.name}`, text, done, total),
  warn: (code, message, hint) => session.report.warn({ code, message, plugin, ...(hint !== undefined && { hint }) }),
  wish: (token: WishToken<unknown, unknown>, value: unknown) => {
    const wishes = declared.wishes.get(token.name) ?? []
    wishes.push({ value, by: plugin })
    declared.wishes.set(token.name, wishes)
  },
  own: <T, S>(token: WishToken<T, S>, settle: (wishes: readonly Wish<T>[]) => S) => {
    const other = declared.owners.get(token.name)
    if (other) throw new ZosError('WISH_OWNERS', `both ${other.plugin} and ${plugin} own the wishes for ${token.name}`)
    declared.owners.set(token.name, { plugin, settle: settle as never })
  },
  requested: () =>
    requested
      .filter((one) => one.plugin === plugin)
      .map(({ component, slot, params }) => ({ component, slot, params })),
  source: (name, source) => {
    const id = `${plugin}/${name}`
    if (declared.sources.has(id)) throw twice('source', id)
    declared.sources.set(id, { plugin, name, source })
  },
  component: (spec) => {
    const id = `${plugin}/${spec.name}`
    if (plan.components.has(id)) throw twice('component', id)
    plan.components.set(id, { ...spec, id, plugin })
  },
  output: (spec) => {
    const other = plan.outputs.get(spec.name)
    if (other) throw new ZosError('OUTPUT_TWICE', `both ${other.plugin} and ${plugin} make the output ${spec.name}`)
    plan.outputs.set(spec.name, { ...spec, plugin })
  },
  pin: (entry) => {
    if (declared.pins.some((other) => other.plugin === plugin && other.entry.name === entry.name))
      throw twice('pin', `${plugin}/${entry.name}`)
    declared.pins.push({ plugin, tap, entry: entry as unknown as PinEntry<Json, Json> })
  },
})

const refsIn = (value: unknown, found: Ref[]): Ref[] => {
  if (isRef(value)) found.push(value)
  else if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) refsIn(member, found)
  return found
}

/** Every reference that options make, once. */
const requestedRefs = ({ plugins, toolchain, publish }: Session['config']): (RequestedRef & { plugin: string })[] => {
  const all = refsIn([plugins.map(({ options }) => options), toolchain, publish], [])
  const unique = new Map(all.map((one) => [canonical(one), one]))
  return [...unique.values()].map(({ plugin, component, slot, params }) => ({
    plugin,
    component,
    slot,
    params: params ?? null,
  }))
}

const settle = ({ wishes, owners }: Declared): Map<string, Json> => {
  for (const [name, list] of wishes) {
    if (owners.has(name)) continue
    const by = [...new Set(list.map((wish) => wish.by))].join(', ')
    throw new ZosError('WISH_UNOWNED', `${by} wishes for ${name}, and no plugin of this config owns that`, {
      hint: 'add the plugin that owns it to the config',
      exit: ExitCode.config,
    })
  }
  const settled = new Map<string, Json>()
  for (const [name, owner] of owners) {
    const list = (wishes.get(name) ?? []).slice().sort((a, b) => {
      const [left, right] = [canonical(a.value), canonical(b.value)]
      return left < right ? -1 : left > right ? 1 : 0
    })
    try {
      settled.set(name, owner.settle(list) as Json)
    } catch (cause) {
      throw placed(cause, { plugin: owner.plugin, hook: 'resolve' }, name)
    }
  }
  return settled
}

const isAsked = ({ flags: { update } }: Session, plugin: string, name: string): boolean =>
  update === 'all' || (update !== undefined && entryNames(plugin, name).some((one) => update.has(one)))

const stale = (session: Session, id: string, before: Json | undefined, request: Json): ZosError =>
  new ZosError(
    'LOCK_STALE',
    before === undefined
      ? `${session.lock.file} has no entry for ${id}`
      : `${session.lock.file} answers another question for ${id}:\n  ${differences(before, request).join('\n  ')}`,
    { hint: ['bring the lock up to date: zos lock', 'and commit it'], exit: ExitCode.lock },
  )

const isOverridden = ({ config }: Session, plugin: string): boolean =>
  (config.overridden[plugin]?.length ?? 0) > 0 || (config.overridden['*']?.length ?? 0) > 0

/** The answer of a lock entry (a plan may have none): the lock's, or a new one where the question changed or the entry is to move. */
export const pinned = async (
  session: Session,
  plugin: string,
  name: string,
  request: Json,
  answer: (previous: Json | undefined) => Promise<Json>,
): Promise<Json | undefined> => {
  const { lock, flags, report } = session
  const entry = lock.entry(plugin, name)
  const same = entry !== undefined && canonical(entry.request) === canonical(request)
  if (entry && same && !isAsked(session, plugin, name)) return entry.pin
  if (session.planner) return session.planner.pin(`${plugin}/${name}`, entry, request)
  const overridden = isOverridden(session, plugin)
  if (flags.frozen && !overridden) throw stale(session, `${plugin}/${name}`, entry?.request, request)
  if (entry && !same && !overridden)
    report.warn({
      code: 'LOCK_MOVED',
      plugin,
      message: `${plugin}/${name} is resolved anew: ${differences(entry.request, request).join('; ')}`,
    })
  const pin = normalized(await answer(isAsked(session, plugin, name) ? undefined : entry?.pin))
  // An override holds for this build alone.
  if (overridden) return pin
  if (pin === null) lock.remove(plugin, name)
  else lock.set(plugin, name, { request, pin })
  return pin
}

/** Pins one source through the hook of its kind; a source that states its own digest needs no entry. */
export const pinSource = async (session: Session, plugin: string, name: string, source: Source): Promise<void> => {
  const id = `${plugin}/${name}`
  const entryName = sourceEntry(name)
  const ask = async (): Promise<Json> => {
    const found = await session.tapables.pin.for(source.kind).promise(async (tap) => {
      const ctx = fetchContext(session, id, plugin, (one) => fetchPinned(session, plugin, one))
      try {
        const pin = await tap.run(source, ctx)
        // `null` is an answer: the source says itself what it is.
        return { pin: pin === null ? null : given(pin, 'a pin, or null') }
      } catch (cause) {
        throw placedSource(cause, tap, plugin, id)
      } finally {
        await ctx.dispose()
      }
    })
    if (found === undefined)
      throw new ZosError('SOURCE_KIND', `no plugin of this config fetches sources of kind ${source.kind} (${id})`, {
        exit: ExitCode.config,
      })
    return (found as { pin: Json }).pin
  }
  // What states its own digest has no entry, and needs none; of further kinds only their own hook can tell.
  const isOwn =
    statesDigest(source) ||
    (session.flags.frozen && session.lock.entry(plugin, entryName) === undefined && (await ask()) === null)
  const pin = isOwn ? null : ((await pinned(session, plugin, entryName, source as Json, ask)) ?? null)
  session.plan!.sources.set(id, { plugin, name, source, pin })
}

/** Sources that say themselves what they are: nothing about them can change. */
const statesDigest = (source: Source): boolean => isLiveSource(source) || typeof source.sha256 === 'string'

export const resolve = async (session: Session): Promise<ResolvedPlan> => {
  const plan: ResolvedPlan & { settled: Map<string, Json> } = {
    sources: new Map(),
    components: new Map(),
    outputs: new Map(),
    settled: new Map(),
  }
  session.plan = plan
  const declared: Declared = { wishes: new Map(), owners: new Map(), pins: [], sources: new Map() }
  const requested = requestedRefs(session.config)
  await session.tapables.resolve.promise(async (tap) => {
    try {
      await tap.run(planFor(session, tap.plugin, tap, declared, plan, requested))
    } catch (cause) {
      throw placed(cause, tap, tap.name)
    }
  })
  for (const [name, value] of settle(declared)) plan.settled.set(name, value)
  const settled: Settled = (token) => (plan.settled.get(token.name) ?? []) as never
  for (const { plugin, tap, entry } of declared.pins) {
    const ctx: FetchContext & { dispose(): Promise<void> } = fetchContext(
      session,
      `${plugin}/${entry.name}`,
      plugin,
      (one) => fetchPinned(session, plugin, one),
    )
    try {
      const request = entry.request(settled)
      const pin = await pinned(session, plugin, entry.name, request, (previous) => entry.answer(request, ctx, previous))
      if (pin !== undefined) entry.then(pin, planFor(session, plugin, tap, declared, plan, requested))
    } catch (cause) {
      throw placed(cause, tap, entry.name)
    } finally {
      await ctx.dispose()
    }
  }
  for (const { plugin, name, source } of declared.sources.values()) await pinSource(session, plugin, name, source)
  return plan
}
