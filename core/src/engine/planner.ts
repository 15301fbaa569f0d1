// What a build would do, found out without running anything: a step that would run is taken to give what it gave last
// time, and whatever reads its result may run too.
import { isZosError } from '../error.js'
import type { Json } from '../model/canonical.js'
import { differences, type LockEntry } from '../model/lock.js'
import type { FileTree } from '../model/tree.js'
import type { Read } from '../store/records.js'
import type { Phase, Session } from './session.js'
import { askedOf, hitOf, noteHit, noteOutcome, reasonOf, type Step } from './tap-memory.js'

/** One step of a plan. */
export interface PlannedStep {
  readonly step: string
  readonly phase: Phase
  readonly plugin: string
  /** `hit`: from the store. `run`: would run. `maybe`: runs if a step before it gives something else than last time. */
  readonly state: 'hit' | 'run' | 'maybe'
  readonly why: string
  /** Steps on whose results it hangs whether this one runs. */
  readonly after: readonly string[]
  /** Milliseconds of its last run. */
  readonly lastMs?: number
  /** What the last run looked at. */
  readonly reads: readonly Read[]
}

/** The tree after one tap. */
export interface Grown {
  readonly step: string
  readonly phase: 'assemble' | 'optimize'
  readonly tree: FileTree
}

/** Reads that see the tree as the taps before have left it. */
const treeReads = ['entry', 'resolve', 'list', 'match', 'subtree', 'root']

/** Id of the step whose result a read is of: of `rust/zinit:tree` the component, of an output itself. */
export const stepRead = ({ kind, subject }: Pick<Read, 'kind' | 'subject'>): string | undefined => {
  if (kind === 'tree' || kind === 'product') return subject.slice(0, subject.lastIndexOf(':'))
  return kind === 'artifact' || kind === 'output' ? subject : undefined
}

export const isTreeRead = ({ kind }: Pick<Read, 'kind'>): boolean => treeReads.includes(kind)

const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`

export class Planner {
  readonly steps: PlannedStep[] = []
  /** Lock entries that would be asked anew, with the reason. */
  readonly resolves: { readonly entry: string; readonly why: string }[] = []
  /** Sources that are not in the store. */
  readonly fetches: string[] = []
  readonly trees: Grown[] = []
  /** Whether something hangs on an answer that the lock has never had. */
  isPartial = false
  /** Components and outputs whose results are not certain. */
  readonly #open = new Set<string>()
  /** Taps whose deltas are not certain. */
  readonly #openTaps: string[] = []

  /** The pin to go on with; `undefined` where there has never been one. */
  pin(id: string, entry: LockEntry | undefined, request: Json): Json | undefined {
    if (entry) {
      this.resolves.push({ entry: id, why: differences(entry.request, request).join('; ') })
      return entry.pin
    }
    // Whether a source needs a pin, only its own hook could tell; what has none and is in the store needs none.
    if (/^[^/]+\/source /.test(id)) return null
    this.resolves.push({ entry: id, why: 'the lock has no answer yet' })
    this.isPartial = true
    return undefined
  }

  wouldFetch(id: string): void {
    this.fetches.push(id)
    this.#open.add(id)
  }

  grown(step: string, phase: Grown['phase'], tree: FileTree): void {
    this.trees.push({ step, phase, tree })
  }

  /** Steps and sources that are not certain, among those that these reads are of. */
  #openOf(reads: readonly Read[]): string[] {
    const found = new Set<string>()
    for (const read of reads) {
      const id = read.kind === 'source' ? read.subject : stepRead(read)
      if (id !== undefined && this.#open.has(id)) found.add(id)
      if (isTreeRead(read)) for (const tap of this.#openTaps) found.add(tap)
    }
    return [...found]
  }

  #note(one: PlannedStep): void {
    this.steps.push(one)
    if (one.state === 'hit') return
    if (one.phase === 'assemble' || one.phase === 'optimize') this.#openTaps.push(one.step)
    else this.#open.add(one.step)
  }

  /** Judges a step; gives what it gave last time. */
  async step<R>(session: Session, step: Step<R>): Promise<R> {
    const { id, phase } = step
    const { plugin } = step.tap
    const asked = askedOf(session, step)
    const isForced = session.flags.force(id, { phase })
    const record = isForced ? undefined : (await hitOf(session, step, asked))?.record
    const last = record ?? session.store.lastTapRecord(asked.place)
    const after = this.#openOf(last?.reads ?? [])
    const known = { step: id, phase, plugin, reads: last?.reads ?? [], ...(last && { lastMs: last.ms }) }
    if (record) {
      await noteHit(session, step, record)
      const certain = after.filter((one) => this.steps.some(({ step: name, state }) => name === one && state === 'run'))
      const causes = certain.length > 0 ? certain : after
      const why = `if ${some(causes)} ${causes.length > 1 ? 'give' : 'gives'} something else`
      this.#note({ ...known, after, ...(after.length > 0 ? { state: 'maybe', why } : { state: 'hit', why: '' }) })
    } else {
      const reason = isForced ? 'asked for' : (await reasonOf(session, last, asked, plugin, step.senses)).text
      this.#note({ ...known, after: [], state: 'run', why: reason })
    }
    if (!last) return step.unknown()
    if (!record) noteOutcome(session, id, plugin, last)
    try {
      return await step.decode(last.result)
    } catch (error) {
      if (!isZosError(error)) throw error
      return step.unknown()
    }
  }
}
