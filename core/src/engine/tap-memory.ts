// The memory of taps: recorded reads → result. A tap whose reads see the same is not run.
import { isZosError, ZosError } from '../error.js'
import { hostToolchain } from '../exec/toolchain.js'
import type { Tap } from '../hooks.js'
import { canonical, digestOf, type Json } from '../model/canonical.js'
import type { HostToolchainSpec } from '../model/toolchain.js'
import type { Read, TapRecord } from '../store/store.js'
import { firstDifference, Recorder, type Senses } from './recorder.js'
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
}

/** The name under which the runs of a step are compared with each other. */
export const placeOf = ({ name, arch }: { name: string; arch: string }, phase: Phase, id: string): string =>
  `${name}/${arch}/${phase}/${id}`

/** The error of a tap, with the place where it arose. */
export const placed = (cause: unknown, { plugin, hook }: { plugin: string; hook: string }, subject: string): Error => {
  if (isZosError(cause)) return cause.at({ plugin, hook, subject })
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

const whyNot = async (
  session: Session,
  last: TapRecord | undefined,
  code: string,
  options: string,
  plugin: string,
  senses: Senses,
): Promise<string> => {
  if (!last) return 'first time'
  if (last.code !== code)
    return `the code of ${last.code.split(':')[0] === code.split(':')[0] ? plugin : 'zos itself'} changed`
  if (last.options !== options) return optionsReason(last.options, options)
  const difference = await firstDifference(last.reads, senses)
  return difference ? readReason(difference.read, difference.now, session) : 'its result is gone from the store'
}

/** Adds what a run of a step told beside its result to what the build tells. */
const noteOutcome = (
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

/** Runs a step, or takes its remembered result; says why it ran. */
export const remembered = async <R>(session: Session, step: Step<R>): Promise<R> => {
  const { store, report } = session
  const { plugin, hook } = step.tap
  const code = session.codeOf(plugin)
  const options = canonical(session.optionsOf(plugin))
  const key = digestOf({ hook, plugin, code, options, tap: step.tap.name, input: step.input })
  const place = placeOf(session.config, step.phase, step.id)
  const started = performance.now()
  const isForced = session.flags.force(step.id, { phase: step.phase })

  if (!isForced) {
    for (const record of store.tapRecords(key)) {
      if (await firstDifference(record.reads, step.senses)) continue
      if (store.distrust && !(await step.isWhole(record.result))) continue
      for (const read of record.reads)
        if (read.kind === 'tool')
          noteToolchain(session, plugin, await hostToolchain(session, JSON.parse(read.subject) as HostToolchainSpec))
      noteOutcome(session, step.id, plugin, record)
      await verify(session, step, key, record)
      const ms = performance.now() - started
      session.steps.push({ step: step.id, phase: step.phase, state: 'hit', ms, why: [] })
      report.step({ id: step.id, phase: step.phase, state: 'hit', ms })
      return step.decode(record.result)
    }
  }

  const why = isForced
    ? 'asked for'
    : await whyNot(session, store.lastTapRecord(place), code, options, plugin, step.senses)
  report.step({ id: step.id, phase: step.phase, state: 'started', why })
  const recorder = new Recorder(step.senses)
  try {
    const result = await step.run(recorder)
    const stored = await step.encode(result)
    const ms = performance.now() - started
    const outcome = { actions: [...recorder.actions.values()], packages: [...recorder.packages.values()] }
    await store.setTapRecord(place, key, { code, options, reads: recorder.reads, result: stored, ...outcome, ms })
    noteOutcome(session, step.id, plugin, outcome)
    session.steps.push({ step: step.id, phase: step.phase, state: 'ran', ms, why: [why, ...recorder.explanations] })
    report.step({ id: step.id, phase: step.phase, state: 'ran', ms, why })
    return result
  } catch (cause) {
    const ms = performance.now() - started
    // What was ended because of another's failure, or by Ctrl-C, did not fail itself.
    session.signal.throwIfAborted()
    session.steps.push({ step: step.id, phase: step.phase, state: 'failed', ms, why: [why] })
    report.step({ id: step.id, phase: step.phase, state: 'failed', ms, why })
    throw placed(cause, step.tap, step.id)
  }
}
