// The store's memory in SQLite: results of actions and taps, file digests, claims, leases and the history of builds.
import type DatabaseType from 'better-sqlite3'
import Database from 'better-sqlite3'
import { ExitCode, ZosError } from '../error.js'

export type Connection = DatabaseType.Database

const schema = `
  CREATE TABLE IF NOT EXISTS result(
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(kind, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS tap(
    id INTEGER PRIMARY KEY, step TEXT NOT NULL, key TEXT NOT NULL, reads TEXT NOT NULL, record TEXT NOT NULL, at INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS tap_key ON tap(key, reads);
  CREATE INDEX IF NOT EXISTS tap_step ON tap(step);
  CREATE TABLE IF NOT EXISTS file(path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS claim(key TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lease(owner TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS history(id INTEGER PRIMARY KEY, config TEXT NOT NULL, at INTEGER NOT NULL, ms INTEGER NOT NULL, ok INTEGER NOT NULL, steps TEXT NOT NULL);
`

/** Opens the database of a store; two processes may have it open at once (WAL, short transactions). */
export const openDatabase = (path: string): Connection => {
  try {
    const connection = new Database(path)
    connection.pragma('journal_mode = WAL')
    connection.pragma('synchronous = NORMAL')
    connection.pragma('busy_timeout = 30000')
    connection.exec(schema)
    return connection
  } catch (cause) {
    throw new ZosError('STORE_DATABASE', `${path} cannot be opened: ${(cause as Error).message}`, {
      hint: 'remove the store folder to start afresh, or name another one with ZOS_STORE',
      exit: ExitCode.store,
      cause,
    })
  }
}
