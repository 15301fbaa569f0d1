// Makes the store smaller: what was used longest ago goes first, and nothing that a running build may be using.
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeDelta } from '../model/delta-codec.js'
import type { Blob } from '../model/entry.js'
import { FileTree } from '../model/tree.js'
import type { BlobFiles } from './blob-files.js'
import { type Connection, useGrain } from './database.js'
import { isAlive } from './process-owner.js'

/** What a sweep removed, or would. Sizes in bytes. */
export interface Swept {
  readonly before: number
  readonly after: number
  readonly results: { readonly kept: number; readonly removed: number }
  readonly contents: { readonly kept: number; readonly removed: number }
  readonly logs: number
  /** Other processes that use the store now: what they may use stays. */
  readonly users: number
}

export interface SweepOptions {
  /** Bytes to keep at most; without it only what nothing refers to goes. */
  readonly keep?: number
  readonly dryRun: boolean
  readonly now: number
}

/** Logs and cut downloads that are older go. Milliseconds. */
const oldLog = 30 * 24 * 3_600_000
/** Builds whose steps stay known, a config. */
const mostHistory = 50

interface Row {
  readonly table: 'result' | 'tap' | 'history'
  /** What tells rows apart: the rowid, or kind and key. */
  readonly id: readonly (string | number)[]
  readonly value: string
  readonly at: number
  /** Whether the content of trees counts as its own: past builds keep names and digests alone. */
  readonly isWhole: boolean
}

/** Every blob that plain data names: `{ sha256, size }`, and `@sha256/size` for data that lies in one. */
const blobsIn = (value: unknown, found: Map<string, Blob>): void => {
  if (typeof value === 'string') {
    const [, sha256, size] = /^@([0-9a-f]{64})\/(\d+)$/.exec(value) ?? []
    if (sha256 !== undefined) found.set(sha256, { sha256, size: Number(size) })
    return
  }
  if (typeof value !== 'object' || value === null) return
  const { sha256, size } = value as { sha256?: unknown; size?: unknown }
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) && typeof size === 'number')
    found.set(sha256, { sha256, size })
  for (const member of Object.values(value)) blobsIn(member, found)
}

class References {
  readonly #blobs: BlobFiles
  readonly #known = new Map<string, readonly Blob[]>()

  constructor(blobs: BlobFiles) {
    this.#blobs = blobs
  }

  /** Blobs that the content of a blob names: files of trees and deltas, which say in their first line what they are. */
  async #inside(blob: Blob): Promise<readonly Blob[]> {
    const before = this.#known.get(blob.sha256)
    if (before) return before
    const found = new Map<string, Blob>()
    const note = (tree: FileTree): void => {
      for (const record of tree.records()) if (record.kind === 'file') found.set(record.blob.sha256, record.blob)
    }
    const head = this.#blobs.headOf(blob.sha256)
    try {
      if (head.startsWith('{"format":"zos-tree/')) note(FileTree.decode(await this.#blobs.read(blob)))
      if (head.startsWith('{"format":"zos-delta/'))
        for (const op of decodeDelta(await this.#blobs.read(blob)).ops) {
          if (op.op === 'put' && op.entry.kind === 'file') found.set(op.entry.blob.sha256, op.entry.blob)
          if (op.op === 'replace') found.set(op.blob.sha256, op.blob)
          if (op.op === 'tree') note(op.tree)
        }
    } catch {
      // Damaged content names nothing; what gave it runs again.
    }
    const list = [...found.values()]
    this.#known.set(blob.sha256, list)
    return list
  }

  /** All blobs that a row needs. */
  async of({ value, isWhole }: Row): Promise<ReadonlyMap<string, Blob>> {
    const found = new Map<string, Blob>()
    if (value.startsWith('@')) {
      blobsIn(value, found)
      const [packed] = [...found.values()]
      const text = packed && this.#blobs.textOf(packed.sha256)
      if (text !== undefined) blobsIn(parsed(text), found)
    } else blobsIn(parsed(value), found)
    if (isWhole)
      for (const blob of [...found.values()])
        for (const inner of await this.#inside(blob)) found.set(inner.sha256, inner)
    return found
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const rowsOf = (db: Connection): Row[] => {
  const rows: Row[] = []
  const results = db.all('SELECT kind, key, value, at FROM result') as {
    kind: string
    key: string
    value: string
    at: number
  }[]
  for (const { kind, key, value, at } of results)
    rows.push({ table: 'result', id: [kind, key], value, at, isWhole: kind !== 'build' })
  const taps = db.all('SELECT id, record, at FROM tap') as { id: number; record: string; at: number }[]
  for (const { id, record, at } of taps) rows.push({ table: 'tap', id: [id], value: record, at, isWhole: true })
  const builds = db.all('SELECT id, config, steps, at FROM history ORDER BY id DESC') as {
    id: number
    config: string
    steps: string
    at: number
  }[]
  const seen = new Map<string, number>()
  for (const { id, config, steps, at } of builds) {
    const count = (seen.get(config) ?? 0) + 1
    seen.set(config, count)
    rows.push({ table: 'history', id: [id], value: steps, at: count > mostHistory ? 0 : at, isWhole: true })
  }
  return rows
}

/** Deletes a row that has not been used since it was looked at. */
const remove = (db: Connection, { table, id, at }: Row): void => {
  if (table === 'result') db.run('DELETE FROM result WHERE kind = ? AND key = ? AND at = ?', ...id, at)
  else if (table === 'tap') db.run('DELETE FROM tap WHERE id = ? AND at = ?', ...id, at)
  else db.run('DELETE FROM history WHERE id = ?', ...id)
}

interface Content {
  readonly sha256: string
  readonly path: string
  readonly size: number
  /** Milliseconds since 1970: when it came, or was last put again. */
  readonly at: number
}

const contentsOf = (folder: string): Content[] =>
  readdirSync(folder).flatMap((part) =>
    readdirSync(join(folder, part)).flatMap((sha256): Content[] => {
      const path = join(folder, part, sha256)
      const found = statSync(path, { throwIfNoEntry: false })
      return found ? [{ sha256, path, size: found.size, at: found.mtimeMs }] : []
    }),
  )

const sumOf = (list: readonly { readonly size: number }[]): number => list.reduce((sum, { size }) => sum + size, 0)

/** Removes old files of a folder; gives how many. */
const sweepFolder = (folder: string, before: number, dryRun: boolean): number => {
  const old = readdirSync(folder).filter(
    (name) => (statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? before) < before,
  )
  if (!dryRun) for (const name of old) rmSync(join(folder, name), { recursive: true, force: true })
  return old.length
}

/**
 * Sweeps a store. Rows are chosen by their last use. What other live processes may use stays: rows that were used, and
 * contents that came, after the first of them began.
 */
export const sweep = async (
  { folder, db, blobs, owner }: { folder: string; db: Connection; blobs: BlobFiles; owner: string },
  { keep, dryRun, now }: SweepOptions,
): Promise<Swept> => {
  const began = Date.now()
  const before = contentsOf(join(folder, 'blobs'))
  const references = new References(blobs)
  const rows = rowsOf(db).sort((a, b) => b.at - a.at)
  const needed = new Map<string, Blob>()
  const surplus: Row[] = []
  let size = 0
  for (const row of rows) {
    const own = [...(await references.of(row)).values()].filter(({ sha256 }) => !needed.has(sha256))
    const more = sumOf(own)
    if ((keep !== undefined && size + more > keep) || row.at === 0) {
      surplus.push(row)
      continue
    }
    size += more
    for (const blob of own) needed.set(blob.sha256, blob)
  }
  const others = (): { at: number }[] =>
    (db.all('SELECT owner, at FROM lease WHERE owner <> ?', owner) as { owner: string; at: number }[]).filter((one) =>
      isAlive(one.owner),
    )
  const users = others()
  const firstUse = (): number => Math.min(Number.POSITIVE_INFINITY, ...others().map(({ at }) => at))
  const isFree = ({ at }: Row, since: number): boolean => at < since - useGrain
  let removed: readonly Row[] = []
  const choose = (): void => {
    // Those that have come meanwhile count too; those that come later find the rows gone.
    const since = firstUse()
    removed = surplus.filter((row) => isFree(row, since))
    if (!dryRun) for (const row of removed) remove(db, row)
  }
  if (dryRun) choose()
  else db.exclusive(choose)
  const gone = new Set(removed)
  for (const row of dryRun ? rows.filter((one) => !gone.has(one)) : rowsOf(db))
    for (const blob of (await references.of(row)).values()) needed.set(blob.sha256, blob)
  const since = Math.min(began, ...users.map(({ at }) => at), firstUse())
  const useless = before.filter(({ sha256, at }) => !needed.has(sha256) && at < since)
  if (!dryRun) for (const { path } of useless) rmSync(path, { force: true })
  const logs = sweepFolder(join(folder, 'logs'), now - oldLog, dryRun)
  sweepFolder(join(folder, 'partial'), now - oldLog, dryRun)
  // Made of contents again when they are wanted.
  sweepFolder(join(folder, 'roots'), since, dryRun)
  return {
    before: sumOf(before),
    after: sumOf(before) - sumOf(useless),
    results: { kept: rows.length - removed.length, removed: removed.length },
    contents: { kept: before.length - useless.length, removed: useless.length },
    logs,
    users: users.length,
  }
}
