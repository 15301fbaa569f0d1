// The memory of taps: recorded reads → result. A tap whose reads see the same is not run.
import { diskError, isZosError, ZosError } from '../error.js'
import { hostToolchain } from '../exec/toolchain.js'
import type { Tap } from '../hooks.js'
import { canonical, digestOf, type Json } from '../model/canonical.js'
import type { HostToolchainSpec } from '../model/toolchain.js'
import type { Change, Read, TapRecord } from '../store/records.js'
import { differencesOf, firstDifference, Recorder, type Senses } from './recorder.js'
import type { Phase, Session } from './session.js'
import { noteToolchain } from './toolchain-note.js'

/** One step: a tap applied to one thing. */
export interface Step<R> {
  /** Shown to people and unique within the config: `zinit/units`, `kernel/linux`, `vmlinuz.efi`. */
  readonly id: string
  readonly phase: Phase
  readonly tap: Tap
  /** Explicit input beside the recorded reads, such as a component's data. */
  readonly input: Json
  readonly senses: Senses
  run(recorder: Recorder): Promise<R>
  /** To and from what the store keeps. */
  encode(result: R): Promise<Json>
  decode(stored: Json): Promise<R>
  /** Whether everything that a stored result names is in the store. */
  isWhole(stored: Json): Promise<boolean>
  /** Stands for a result that is not known: what a plan goes on with. */
  unknown(): R
}

/** The name under which the runs of a step are compared with each other. */
export const placeOf = ({ name, arch }: { name: string; arch: string }, phase: Phase, id: string): string =>
  `${name}/${arch}/${phase}/${id}`

/** The error of a tap, with the place where it arose. */
export const placed = (cause: unknown, { plugin, hook }: { plugin: string; hook: string }, subject: string): Error => {
  if (isZosError(cause)) return cause.at({ plugin, hook, subject })
  const disk = diskError(cause)
  if (disk) return disk.at({ plugin, hook, subject })
  const { message, stack } = cause instanceof Error ? cause : new Error(String(cause))
  const line = stack?.split('\n').find((text) => /^\s+at /.test(text))
  return new ZosError('PLUGIN_FAILED', line ? `${message}\n  ${line.trim()}` : message, {
    plugin,
    hook,
    subject,
    cause,
    hint: `this is a defect of the plugin ${plugin}, or of what it was given`,
  })
}

/** The error of a tap that serves sources of all plugins: what it says itself is about the plugin that has the source. */
export const placedSource = (
  cause: unknown,
  tap: { readonly plugin: string; readonly hook: string },
  plugin: string,
  id: string,
): Error => (isZosError(cause) ? cause.at({ plugin, hook: tap.hook, subject: id }) : placed(cause, tap, id))

/** What a tap gave back; nothing at all is an error, since it is what a forgotten `return` gives. */
export const given = <R>(result: R | undefined, what: string): R => {
  if (result !== undefined && result !== null) return result
  throw new ZosError('TAP_NOTHING', `the tap gave nothing back; expected ${what}`, {
    hint: `return it from the tap: return …`,
  })
}

const short = (text: string): string =>
  /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text.length > 40 ? `${text.slice(0, 37)}…` : text

/** A changed read in words. */
const readReason = ({ kind, subject, saw }: Read, now: string, session: Session): string => {
  if (kind === 'root' || kind === 'subtree') {
    const grew = session.steps.filter(
      ({ state, phase }) => state === 'ran' && (phase === 'assemble' || phase === 'optimize'),
    )
    const by = grew.map(({ step }) => step)
    const where = kind === 'root' ? 'the root file system' : subject
    return `${where} changed${by.length > 0 && by.length <= 3 ? `: ${by.join(', ')}` : ''}`
  }
  if (kind === 'env' || kind === 'setting') return `${subject} changed: ${short(saw)} → ${short(now)}`
  if (kind === 'tool')
    return `tools of the host changed: ${(JSON.parse(subject) as HostToolchainSpec).tools.join(', ')}`
  if (kind === 'toolchain') return 'the toolchain of the config changed'
  if (kind === 'executor') return `the executor changed: ${saw} → ${now}`
  if (saw === 'missing') return `${subject} is new`
  if (now === 'missing') return `${subject} is gone`
  if (kind === 'settled') return `the wishes for ${subject} changed`
  return `${subject} changed`
}

const optionsReason = (before: string, after: string): string => {
  const [old, now] = [JSON.parse(before), JSON.parse(after)] as [Record<string, unknown>, Record<string, unknown>]
  const keys = [...new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])].sort()
  const changed = keys.filter((key) => canonical(old?.[key]) !== canonical(now?.[key]))
  return `options changed: ${changed.map((key) => `${key}: ${short(canonical(old[key]))} → ${short(canonical(now[key]))}`).join(', ')}`
}

/** Why a step is not taken from the store. */
export interface Reason {
  readonly text: string
  readonly changes: readonly Change[]
}

const because = (text: string, changes: readonly Change[] = []): Reason => ({ text, changes })

/** A step as its memory is asked for it. */
export interface Asked {
  readonly key: string
  readonly place: string
  readonly code: string
  readonly options: string
}

export const askedOf = <R>(session: Session, { tap: { plugin, hook, name }, input, phase, id }: Step<R>): Asked => {
  const code = session.codeOf(plugin)
  const options = canonical(session.optionsOf(plugin))
  const key = digestOf({ hook, plugin, code, options, tap: name, input })
  return { key, place: placeOf(session.config, phase, id), code, options }
}

/** A remembered run of the step whose reads see the same now, and the step, perhaps of another config, that has it. */
export const hitOf = async <R>(
  session: Session,
  step: Step<R>,
  { key, place }: Asked,
): Promise<{ readonly holder: string; readonly record: TapRecord } | undefined> => {
  const { store } = session
  for (const { step: holder, record } of store.tapRecords(key, place)) {
    if (await firstDifference(record.reads, step.senses)) continue
    if (store.distrust && !(await step.isWhole(record.result))) continue
    return { holder, record: holder === place ? record : { from: holder, ...record } }
  }
  return undefined
}

/** Compares with the last run of the step. */
export const reasonOf = async (
  session: Session,
  last: TapRecord | undefined,
  { code, options }: Asked,
  plugin: string,
  senses: Senses,
): Promise<Reason> => {
  if (!last) return because('first time')
  if (last.code !== code) {
    const isPlugin = last.code.split(':')[0] === code.split(':')[0]
    const change = { kind: 'code', subject: isPlugin ? plugin : 'zos', before: last.code, after: code }
    return because(`the code of ${isPlugin ? plugin : 'zos itself'} changed`, [change])
  }
  if (last.options !== options)
    return because(optionsReason(last.options, options), [
      { kind: 'options', subject: plugin, before: last.options, after: options },
    ])
  const changes = await differencesOf(last.reads, senses)
  const [first] = changes
  if (!first) return because('its result is gone from the store')
  return because(readReason({ ...first, saw: first.before }, first.after, session), changes)
}

/** Adds what a run of a step told beside its result to what the build tells. */
export const noteOutcome = (
  session: Session,
  step: string,
  plugin: string,
  { actions, packages }: Pick<TapRecord, 'actions' | 'packages'>,
): void => {
  for (const action of actions) session.actions.set(`${step} ${action.key}`, { ...action, step })
  for (const one of packages) session.packages.set(one.purl, { ...one, plugin })
}

/** Runs a remembered step again, where `--verify-cache` takes it, and compares. */
const verify = async <R>(session: Session, step: Step<R>, key: string, record: TapRecord): Promise<void> => {
  const { verification, report } = session
  if (!verification.takesStep) return
  report.step({ id: step.id, phase: step.phase, state: 'started', why: 'run again, to compare' })
  const isDelta = step.phase === 'assemble' || step.phase === 'optimize'
  const again = async (): Promise<Json> => step.encode(await step.run(new Recorder(step.senses)))
  await verification.compare('tap', step.id, `${step.id} ${key}`, record.result, again, isDelta)
  session.signal.throwIfAborted()
}

/** Takes over what a remembered run told. */
export const noteHit = async <R>(session: Session, step: Step<R>, record: TapRecord): Promise<void> => {
  const { plugin } = step.tap
  for (const read of record.reads)
    if (read.kind === 'tool')
      noteToolchain(session, plugin, await hostToolchain(session, JSON.parse(read.subject) as HostToolchainSpec))
  noteOutcome(session, step.id, plugin, record)
}

/** The command by which a step failed, if it was one. */
const failedAction = (cause: unknown): { failed?: string } =>
  isZosError(cause) && typeof cause.data.action === 'string' ? { failed: cause.data.action } : {}

/** Lines of detail that are kept of a run. */
const mostDetails = 1000

/** Runs a step, or takes its remembered result; says why it ran. */
export const remembered = async <R>(session: Session, step: Step<R>): Promise<R> => {
  if (session.planner) return session.planner.step(session, step)
  const { store, report } = session
  const { plugin } = step.tap
  const asked = askedOf(session, step)
  const { key, place, code, options } = asked
  const started = performance.now()
  const isForced = session.flags.force(step.id, { phase: step.phase })

  const hit = isForced ? undefined : await hitOf(session, step, asked)
  if (hit) {
    const { holder, record } = hit
    // From here on this is what the step itself is compared with, and told by.
    if (holder !== place) await store.setTapRecord(place, key, record)
    await noteHit(session, step, record)
    await verify(session, step, key, record)
    const ms = performance.now() - started
    session.steps.push({ step: step.id, phase: step.phase, state: 'hit', ms, why: [] })
    report.step({ id: step.id, phase: step.phase, state: 'hit', ms })
    return step.decode(record.result)
  }

  const { text: why, changes } = isForced
    ? because('asked for')
    : await reasonOf(session, store.lastTapRecord(place), asked, plugin, step.senses)
  report.step({ id: step.id, phase: step.phase, state: 'started', why })
  const recorder = new Recorder(step.senses)
  try {
    const result = await step.run(recorder)
    for (const content of recorder.seen) await store.blobs.put(content)
    const stored = await step.encode(result)
    const ms = performance.now() - started
    const outcome = { actions: [...recorder.actions.values()], packages: [...recorder.packages.values()] }
    await store.setTapRecord(place, key, { code, options, reads: recorder.reads, result: stored, ...outcome, ms })
    noteOutcome(session, step.id, plugin, outcome)
    session.steps.push({
      step: step.id,
      phase: step.phase,
      state: 'ran',
      ms,
      why: [why, ...recorder.explanations],
      changes,
      ...(recorder.details.length > 0 && { details: recorder.details.slice(0, mostDetails) }),
    })
    report.step({ id: step.id, phase: step.phase, state: 'ran', ms, why })
    return result
  } catch (cause) {
    const ms = performance.now() - started
    // What was ended because of another's failure, or by Ctrl-C, did not fail itself.
    session.signal.throwIfAborted()
    session.steps.push({
      step: step.id,
      phase: step.phase,
      state: 'failed',
      ms,
      why: [why],
      changes,
      ...failedAction(cause),
    })
    report.step({ id: step.id, phase: step.phase, state: 'failed', ms, why })
    throw placed(cause, step.tap, step.id)
  }
}
