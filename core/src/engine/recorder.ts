// Recorded reads: what a tap looked at, and how to look again.
import { isZosError } from '../error.js'
import type { Package } from '../model/package.js'
import type { Change, Read, RecordedAction } from '../store/records.js'

/** How to see a subject of one kind now; `undefined` subjects give `missing`. */
export type Senses = Readonly<Record<string, (subject: string) => Promise<string> | string>>

/** Notes every read once, in the order in which the tap made them. */
export class Recorder {
  readonly #reads = new Map<string, Read>()
  readonly senses: Senses
  /** What the tap says of its own run. */
  readonly explanations: string[] = []
  /** What it did, a line a file. */
  readonly details: string[] = []
  /** What was seen, of small things: kept by digest, so that a later change can be told in detail. */
  readonly seen: (string | Uint8Array)[] = []
  /** What the tap adds to the bill of materials, by package URL. */
  readonly packages = new Map<string, Package>()
  /** Commands that it ran or found remembered, by key. */
  readonly actions = new Map<string, RecordedAction>()

  constructor(senses: Senses) {
    this.senses = senses
  }

  /** Looks through the senses and notes what was seen. */
  async see(kind: string, subject: string): Promise<string> {
    const saw = await this.senses[kind]!(subject)
    this.note(kind, subject, saw)
    return saw
  }

  note(kind: string, subject: string, saw: string): void {
    const key = `${kind} ${subject}`
    if (!this.#reads.has(key)) this.#reads.set(key, { kind, subject, saw })
  }

  get reads(): readonly Read[] {
    return [...this.#reads.values()]
  }
}

/** What a read would see now. A look that fails (a folder or tool that is gone) sees something else than it did. */
const look = async (senses: Senses, { kind, subject }: Read): Promise<string> => {
  try {
    return (await senses[kind]?.(subject)) ?? 'missing'
  } catch (error) {
    if (isZosError(error) && error.code !== 'BLOB_MISSING') return 'missing'
    throw error
  }
}

/** Most differences that are kept of one run. */
const mostDifferences = 24

/** Earlier reads that would see something else now. */
export const differencesOf = async (reads: readonly Read[], senses: Senses): Promise<Change[]> => {
  const found: Change[] = []
  for (const { kind, subject, saw } of reads) {
    if (found.length === mostDifferences) break
    const now = await look(senses, { kind, subject, saw })
    if (now !== saw) found.push({ kind, subject, before: saw, after: now })
  }
  return found
}

/** The first of earlier reads that would see something else now, with what it sees. */
export const firstDifference = async (
  reads: readonly Read[],
  senses: Senses,
): Promise<{ readonly read: Read; readonly now: string } | undefined> => {
  for (const read of reads) {
    const now = await look(senses, read)
    if (now !== read.saw) return { read, now }
  }
  return undefined
}
