// The store's memory in SQLite: results of actions and taps, file digests, claims, leases and the history of builds.
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { ExitCode, ZosError } from '../error.js'

const schema = `
  CREATE TABLE IF NOT EXISTS result(
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, sum TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(kind, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tap(
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, key TEXT NOT NULL, reads TEXT NOT NULL, record TEXT NOT NULL, sum TEXT NOT NULL, at INTEGER NOT NULL
  );
  DROP INDEX IF EXISTS tap_key;
  CREATE UNIQUE INDEX IF NOT EXISTS tap_run ON tap(key, reads, step);
  CREATE INDEX IF NOT EXISTS tap_step ON tap(step);
  CREATE TABLE IF NOT EXISTS file(path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS claim(key TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lease(owner TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS history(id INTEGER PRIMARY KEY, config TEXT NOT NULL, at INTEGER NOT NULL, ms INTEGER NOT NULL, ok INTEGER NOT NULL, steps TEXT NOT NULL);
`

/** Marks of use are this coarse: a row that was used within it is not written anew. Milliseconds. */
export const useGrain = 3_600_000

type Value = string | number

/** Rows by SQL text. Whatever SQLite throws comes as `STORE_DATABASE`. */
export interface Connection {
  /** The first row, if there is one. */
  get(sql: string, ...values: readonly Value[]): unknown
  all(sql: string, ...values: readonly Value[]): unknown[]
  run(sql: string, ...values: readonly Value[]): void
  /** In a transaction that holds the write lock from its begin. */
  exclusive<T>(work: () => T): T
  close(): void
}

const another = 'or name another folder with ZOS_STORE'

const reasonOf = (folder: string, code: string): readonly [string, string] => {
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code)) return ['is not writable', `make ${folder} writable, ${another}`]
  if (/^SQLITE_FULL/.test(code)) return ['cannot be written', `make room, ${another}`]
  if (/^SQLITE_BUSY/.test(code)) return ['is held by another process', `wait for the other zos to end, ${another}`]
  return ['cannot be read', `remove ${folder} to start afresh, ${another}`]
}

const databaseError = (path: string, cause: unknown): unknown => {
  const { code, message } = cause as { code?: unknown; message: string }
  if (cause instanceof Database.SqliteError) {
    const [reason, hint] = reasonOf(dirname(path), cause.code)
    return new ZosError('STORE_DATABASE', `${path} ${reason}: ${message}`, { hint, exit: ExitCode.store, cause })
  }
  if (code !== 'ERR_DLOPEN_FAILED' && !/bindings file|compiled against/.test(message)) return cause
  return new ZosError('STORE_LIBRARY', `better-sqlite3 cannot be loaded: ${message.split('\n')[0]}`, {
    hint: `for this node (${process.version}): npm rebuild better-sqlite3`,
    exit: ExitCode.host,
    cause,
  })
}

/** Milliseconds to wait for another process that writes. */
const patience = 30_000

/** Opens the database of a store; two processes may have it open at once (WAL, short transactions). */
export const openDatabase = (path: string): Connection => {
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (cause) {
      throw databaseError(path, cause)
    }
  }
  const database = guarded(() => {
    const opened = new Database(path, { timeout: patience })
    opened.pragma('journal_mode = WAL')
    opened.pragma('synchronous = NORMAL')
    opened.exec(schema)
    return opened
  })
  const statements = new Map<string, Database.Statement>()
  const statement = (sql: string): Database.Statement => {
    const known = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, known)
    return known
  }
  return {
    get: (sql, ...values) => guarded(() => statement(sql).get(...values)),
    all: (sql, ...values) => guarded(() => statement(sql).all(...values)),
    run: (sql, ...values) => guarded(() => void statement(sql).run(...values)),
    exclusive: (work) => guarded(() => database.transaction(work).immediate()),
    close: () => guarded(() => void database.close()),
  }
}
