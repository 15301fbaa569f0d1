// --verify-cache: what the store remembers is made again and compared. What differs is not pure, and is named.
import { ExitCode, isZosError, ZosError } from '../error.js'
import { canonical, digestOf, type Json } from '../model/canonical.js'
import type { DeltaOp } from '../model/delta.js'
import { decodeDelta } from '../model/delta-codec.js'
import type { Blob, Entry } from '../model/entry.js'
import { differences } from '../model/lock.js'
import type { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { loadTree, type StoredTree } from './stored-artifact.js'

export type Verified = 'tap' | 'action' | 'function'

/** Where a build is run again: another locale and time zone than any machine is likely to have, and private files. */
export const elsewhere: Readonly<Record<string, string>> = {
  LANG: 'tr_TR.UTF-8',
  LC_ALL: 'tr_TR.UTF-8',
  TZ: 'Pacific/Apia',
}

/** What a sandbox shows of it: names that need no files of the host. */
export const elsewhereInside: Readonly<Record<string, string>> = { LANG: 'C', TZ: '<+13>-13' }

const describe = (entry: Entry | undefined): string => (entry ? canonical({ ...entry, origin: undefined }) : 'nothing')

/** The first record that two trees do not have in common. */
export const firstDifferingRecord = (before: FileTree, after: FileTree): string | undefined => {
  for (const { path, before: old, after: now } of before.diff(after)) {
    const [line = ''] = differences(old ?? null, now ?? null, path)
    return old && now ? line : `${path}: ${describe(old)} → ${describe(now)}`
  }
  return undefined
}

const storedTrees = (value: Json): Record<string, StoredTree> => {
  const { trees, tree } = value as { trees?: Record<string, StoredTree>; tree?: StoredTree }
  return { ...trees, ...(tree && { tree }) }
}

const opPath = (op: DeltaOp): string => (op.op === 'tree' ? op.at : op.path)

/** An operation as plain data; a tree as its digest. */
const plainOp = (op: DeltaOp | undefined): Json =>
  (op?.op === 'tree' ? { op: op.op, at: op.at, tree: op.tree.digest } : (op ?? null)) as unknown as Json

const deltaDifference = async (store: Store, before: Blob, after: Blob): Promise<string> => {
  const [old, now] = await Promise.all([before, after].map(async (blob) => decodeDelta(await store.blobs.read(blob))))
  const count = Math.max(old!.ops.length, now!.ops.length)
  for (let index = 0; index < count; index++) {
    const [left, right] = [old!.ops[index], now!.ops[index]]
    if (canonical(plainOp(left)) === canonical(plainOp(right))) continue
    if (left?.op === 'tree' && right?.op === 'tree') {
      const record = firstDifferingRecord(left.tree, right.tree)
      if (record !== undefined) return `in ${left.at}: ${record}`
    }
    return differences(plainOp(left), plainOp(right), opPath((left ?? right)!)).join('; ')
  }
  return 'origins of records'
}

/** Says in a line where two stored results differ. */
const differenceOf = async (store: Store, isDelta: boolean, before: Json, after: Json): Promise<string> => {
  if (isDelta) return deltaDifference(store, before as unknown as Blob, after as unknown as Blob)
  const [old, now] = [storedTrees(before), storedTrees(after)]
  for (const [slot, tree] of Object.entries(old)) {
    const other = now[slot]
    if (!other || other.digest === tree.digest) continue
    const record = firstDifferingRecord(await loadTree(store, tree), await loadTree(store, other))
    if (record !== undefined) return record
  }
  return differences(before, after).join('; ')
}

/** What one build ran again, and what came of it. */
export class Verification {
  readonly #store: Store
  readonly #share: number
  readonly #seen = new Set<string>()
  readonly counts: Record<Verified, number> = { tap: 0, action: 0, function: 0 }
  readonly findings: string[] = []

  /** `share`: the part of all steps that is run again, 0 to 1. */
  constructor(store: Store, share: number) {
    this.#store = store
    this.#share = share
  }

  /** Whether this step is among those that are run again. */
  get takesStep(): boolean {
    return this.#share > 0 && Math.random() < this.#share
  }

  /** Whether results that a running step asks for are made again. */
  get isOn(): boolean {
    return this.#share > 0
  }

  /** Makes a result again, once a build, and compares it with what is remembered; a failure is a finding too. */
  async compare(
    kind: Verified,
    name: string,
    key: string,
    before: Json,
    again: () => Promise<Json>,
    isDelta = false,
  ): Promise<void> {
    const id = `${kind} ${key}`
    if (this.#seen.has(id)) return
    this.#seen.add(id)
    this.counts[kind]++
    try {
      const after = await again()
      if (digestOf(after) === digestOf(before)) return
      this.findings.push(`${kind} ${name}: ${await differenceOf(this.#store, isDelta, before, after)}`)
    } catch (error) {
      if (isZosError(error) && error.code === 'BLOB_MISSING') throw error
      this.findings.push(`${kind} ${name}: failed when it ran again: ${(error as Error).message}`)
    }
  }

  /** Throws `CACHE_IMPURE` where something gave another result. */
  conclude(): void {
    if (this.findings.length === 0) return
    throw new ZosError(
      'CACHE_IMPURE',
      `${this.findings.length} of ${Object.values(this.counts).reduce((sum, one) => sum + one, 0)} results differ when made again\n  ${this.findings.sort().join('\n  ')}`,
      {
        hint: [
          'what differs depends on something that it does not record: clock, environment, order, random numbers',
          'a tap reads the world through its context only; a command gets its time from SOURCE_DATE_EPOCH',
        ],
        exit: ExitCode.build,
        data: { findings: this.findings },
      },
    )
  }
}
