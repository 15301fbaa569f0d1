import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { canonical, digestOf, type Json, sha256 as sha256Of } from '../model/canonical.js'
import type { Blob } from '../model/entry.js'
import { BlobFiles } from './blob-files.js'
import { type Connection, openDatabase, useGrain } from './database.js'
import { isAlive, ownerOf } from './process-owner.js'
import type { ResultKind, StepHistory, TapRecord } from './records.js'
import type { SweepOptions, Swept } from './sweep.js'
import { WorkFolders } from './work-folders.js'

/** Number of the store's layout; a folder of another number is left alone and a fresh one is made beside it. */
const format = 2
/** Values above this lie in a blob; SQLite keeps the digest. Bytes. */
const inlineLimit = 64 * 1024

/** Goes with a row: SHA-256 of its name and content, so that a row that was altered, or put in another's place, is seen. */
const sumOf = (...parts: readonly (string | number)[]): string => sha256Of(parts.join('\0'))

interface SoundRow {
  readonly id: number
  readonly step: string
  readonly key: string
  readonly record: string
  readonly sum: string
  readonly at: number
}

/**
 * One folder that holds what builds made: blobs by digest, and in SQLite which step gave what. A blob comes before the
 * row that names it, so a row may be trusted as far as its blobs are there.
 */
export class Store {
  readonly folder: string
  readonly blobs: BlobFiles
  readonly #db: Connection
  readonly #owner: string
  readonly #work: WorkFolders
  readonly #clock: () => number
  /** Told of every row that is not what was written; it counts as missing. */
  onDamage: (message: string) => void = () => undefined
  /** Set where other builds start at the same time: the first does not wait to see them. */
  expectsCompany = false
  /** Set when a blob turned out to be missing: from then on a result counts only with all its blobs. */
  distrust = false

  private constructor(folder: string, clock: () => number) {
    this.folder = join(folder, `v${format}`)
    this.#clock = clock
    try {
      for (const part of ['blobs', 'work', 'logs', 'partial', 'roots', 'containers'])
        mkdirSync(join(this.folder, part), { recursive: true })
    } catch (cause) {
      throw new ZosError('STORE_FOLDER', `the store ${folder} cannot be made: ${(cause as Error).message}`, {
        hint: 'name a folder that you may write to with ZOS_STORE',
        exit: ExitCode.store,
        cause,
      })
    }
    this.#owner = ownerOf(process.pid) ?? `${process.pid}:0`
    this.#work = new WorkFolders(join(this.folder, 'work'), this.#owner)
    this.#db = openDatabase(join(this.folder, 'store.sqlite'))
    this.#db.run('INSERT OR REPLACE INTO lease(owner, at) VALUES(?, ?)', this.#owner, clock())
    this.#sweep()
    const incoming = this.workFolder('incoming')
    this.blobs = new BlobFiles(join(this.folder, 'blobs'), incoming)
  }

  /** Opens the store in a folder, makes it where there is none, and takes a lease for this process. */
  static open(folder: string, clock: () => number): Store {
    return new Store(folder, clock)
  }

  close(): void {
    try {
      this.#db.run('DELETE FROM claim WHERE owner = ?', this.#owner)
      this.#db.run('DELETE FROM lease WHERE owner = ?', this.#owner)
    } finally {
      this.#db.close()
      this.#work.close()
    }
  }

  /** Names of ended processes whose work folders are being removed. */
  get sweeping(): readonly string[] {
    return this.#work.sweeping
  }

  /** Waits until what ended processes left is gone. */
  swept(): Promise<void> {
    return this.#work.swept()
  }

  /** Removes what ended processes left. */
  #sweep(): void {
    this.#work.sweep()
    for (const { owner } of this.#db.all('SELECT owner FROM lease') as { owner: string }[]) {
      if (isAlive(owner)) continue
      this.#db.run('DELETE FROM lease WHERE owner = ?', owner)
      this.#db.run('DELETE FROM claim WHERE owner = ?', owner)
    }
  }

  /** A folder of this process below the store, made when asked for; it goes when the process ends. */
  workFolder(name: string): string {
    return this.#work.folder(name)
  }

  get logFolder(): string {
    return join(this.folder, 'logs')
  }

  /** Working folders of containers that stay, and notes of which there are. */
  get containerFolder(): string {
    return join(this.folder, 'containers')
  }

  /** Toolchains that are root file systems, by the digests of their trees. */
  get rootFolder(): string {
    return join(this.folder, 'roots')
  }

  /** Where cut downloads wait to be resumed. */
  get partialFolder(): string {
    return join(this.folder, 'partial')
  }

  async #pack(value: Json | object): Promise<string> {
    const text = canonical(value)
    if (text.length <= inlineLimit) return text
    const { sha256, size } = await this.blobs.put(text)
    return `@${sha256}/${size}`
  }

  #unpack(text: string): unknown {
    if (!text.startsWith('@')) return JSON.parse(text)
    const [sha256 = '', size] = text.slice(1).split('/')
    try {
      const content = readFileSync(this.blobs.path({ sha256, size: Number(size) }), 'utf8')
      return sha256Of(content) === sha256 ? JSON.parse(content) : undefined
    } catch {
      return undefined
    }
  }

  /** Whether a row is what was written. */
  #isSound(name: string, sum: string, ...parts: readonly (string | number)[]): boolean {
    const found = sumOf(...parts)
    if (found === sum) return true
    this.onDamage(`${this.folder}/store.sqlite: the row of ${name} has the SHA-256 ${found}, expected ${sum}`)
    return false
  }

  /** The remembered result of an action or of a pure function. */
  result(kind: ResultKind, key: string): Json | undefined {
    const row = this.#db.get('SELECT value, sum, at FROM result WHERE kind = ? AND key = ?', kind, key) as
      | { value: string; sum: string; at: number }
      | undefined
    if (!row || !this.#isSound(`${kind} ${key.slice(0, 16)}`, row.sum, kind, key, row.value)) return undefined
    const now = this.#clock()
    if (row.at < now - useGrain) this.#db.run('UPDATE result SET at = ? WHERE kind = ? AND key = ?', now, kind, key)
    return this.#unpack(row.value) as Json | undefined
  }

  async setResult(kind: ResultKind, key: string, value: Json): Promise<void> {
    const text = await this.#pack(value)
    const sql = 'INSERT OR REPLACE INTO result(kind, key, value, sum, at) VALUES(?, ?, ?, ?, ?)'
    this.#db.run(sql, kind, key, text, sumOf(kind, key, text), this.#clock())
  }

  *#soundRecords(sql: string, ...values: readonly string[]): Generator<{ step: string; record: TapRecord }> {
    for (const row of this.#db.all(sql, ...values) as SoundRow[]) {
      const { id, step, key, record, sum, at } = row
      if (!this.#isSound(`tap ${step}`, sum, step, key, record)) continue
      const now = this.#clock()
      if (at < now - useGrain) this.#db.run('UPDATE tap SET at = ? WHERE id = ?', now, id)
      const found = this.#unpack(record)
      if (found !== undefined) yield { step, record: found as TapRecord }
    }
  }

  /**
   * Runs of taps with this key, those of the step itself before those of other configs, each newest first: in the order
   * of their rows, since a clock may jump.
   */
  tapRecords(key: string, step: string): Generator<{ step: string; record: TapRecord }> {
    const sql = 'SELECT id, step, key, record, sum, at FROM tap WHERE key = ? ORDER BY step = ? DESC, id DESC LIMIT 16'
    return this.#soundRecords(sql, key, step)
  }

  /** The last run of a step, whatever its key: what a rerun is compared with. */
  lastTapRecord(step: string): TapRecord | undefined {
    const sql = 'SELECT id, step, key, record, sum, at FROM tap WHERE step = ? ORDER BY id DESC LIMIT 1'
    return this.#soundRecords(sql, step).next().value?.record
  }

  async setTapRecord(step: string, key: string, record: TapRecord): Promise<void> {
    const text = await this.#pack(record as unknown as Json)
    const sql = 'INSERT OR REPLACE INTO tap(step, key, reads, record, sum, at) VALUES(?, ?, ?, ?, ?, ?)'
    this.#db.run(sql, step, key, digestOf(record.reads), text, sumOf(step, key, text), this.#clock())
  }

  /** The digest of a file whose stamp has not changed since it was hashed. */
  fileDigest(path: string, stamp: string): Blob | undefined {
    const row = this.#db.get('SELECT sha256, size, sum FROM file WHERE path = ? AND stamp = ?', path, stamp) as
      | { sha256: string; size: number; sum: string }
      | undefined
    if (!row || !this.#isSound(path, row.sum, path, stamp, row.sha256, row.size)) return undefined
    return { sha256: row.sha256, size: row.size }
  }

  setFileDigest(path: string, stamp: string, { sha256, size }: Blob): void {
    const sql = 'INSERT OR REPLACE INTO file(path, stamp, sha256, size, sum) VALUES(?, ?, ?, ?, ?)'
    this.#db.run(sql, path, stamp, sha256, size, sumOf(path, stamp, sha256, size))
  }

  /** Whether another process uses the store now, or is about to. */
  hasCompany(): boolean {
    if (this.expectsCompany) return true
    return (this.#db.all('SELECT owner FROM lease WHERE owner <> ?', this.#owner) as { owner: string }[]).some(
      ({ owner }) => isAlive(owner),
    )
  }

  /** Takes the right to make something, so that two builds make it once; `false` while another live process has it. */
  claim(key: string): boolean {
    return this.#db.exclusive((): boolean => {
      const row = this.#db.get('SELECT owner FROM claim WHERE key = ?', key) as { owner: string } | undefined
      if (row && row.owner !== this.#owner && isAlive(row.owner)) return false
      this.#db.run('INSERT OR REPLACE INTO claim(key, owner) VALUES(?, ?)', key, this.#owner)
      return true
    })
  }

  release(key: string): void {
    this.#db.run('DELETE FROM claim WHERE key = ? AND owner = ?', key, this.#owner)
  }

  async addHistory(config: string, ms: number, ok: boolean, steps: readonly StepHistory[]): Promise<void> {
    const text = await this.#pack(steps as unknown as Json)
    this.#db.run(
      'INSERT INTO history(config, at, ms, ok, steps) VALUES(?, ?, ?, ?, ?)',
      config,
      this.#clock(),
      Math.round(ms),
      ok ? 1 : 0,
      text,
    )
  }

  /** Builds of a config, newest first. `at` is milliseconds since 1970. */
  *history(config: string): Generator<{ at: number; ms: number; ok: boolean; steps: readonly StepHistory[] }> {
    const rows = this.#db.all(
      'SELECT at, ms, ok, steps FROM history WHERE config = ? ORDER BY id DESC LIMIT 200',
      config,
    )
    for (const row of rows as { at: number; ms: number; ok: number; steps: string }[]) {
      const steps = this.#unpack(row.steps)
      if (steps) yield { at: row.at, ms: row.ms, ok: row.ok === 1, steps: steps as StepHistory[] }
    }
  }

  /** Removes what is of no use, or was used longest ago; see `sweep`. */
  async sweep(options: Omit<SweepOptions, 'now'>): Promise<Swept> {
    const { sweep } = await import('./sweep.js')
    const parts = { folder: this.folder, db: this.#db, blobs: this.blobs, owner: this.#owner }
    return sweep(parts, { ...options, now: this.#clock() })
  }

  /** Forgets everything; blobs of other processes in use stay until they end. */
  static remove(folder: string): void {
    rmSync(folder, { recursive: true, force: true })
  }
}
