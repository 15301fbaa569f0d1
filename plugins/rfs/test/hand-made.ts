// Flists made by hand from the schema, in the order in which the rfs program inserts: nothing of our writer.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export type Row = readonly (string | number | Uint8Array | null)[]

export interface HandMade {
  /** parent, name, size, uid, gid, mode, rdev, ctime, mtime: number 1, 2, … */
  readonly inode: readonly Row[]
  readonly extra?: readonly Row[]
  readonly block?: readonly Row[]
  readonly tag?: readonly Row[]
  readonly route?: readonly Row[]
  /** Runs at the end: to spoil something. */
  readonly sql?: string
}

const schema = `
CREATE TABLE IF NOT EXISTS inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER,
  uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
CREATE INDEX IF NOT EXISTS parents ON inode (parent);
CREATE INDEX IF NOT EXISTS names ON inode (name);
CREATE TABLE IF NOT EXISTS extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
CREATE TABLE IF NOT EXISTS block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
CREATE INDEX IF NOT EXISTS block_ino ON block (ino);
CREATE TABLE IF NOT EXISTS tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE IF NOT EXISTS route (start integer, end integer, url VARCHAR(2048));
`

export const handMade = (rows: HandMade): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-flist-'))
  try {
    const path = join(folder, 'made.fl')
    const db = new Database(path)
    db.pragma('journal_mode = delete')
    db.exec(schema)
    const insert = (table: string, names: string, list: readonly Row[] = []): void => {
      const marks = names.split(',').map(() => '?')
      const statement = db.prepare(`INSERT INTO ${table} (${names}) VALUES (${marks})`)
      for (const row of list) statement.run(...row)
    }
    insert('inode', 'parent, name, size, uid, gid, mode, rdev, ctime, mtime', rows.inode)
    insert('extra', 'ino, data', rows.extra)
    insert('block', 'ino, id, key', rows.block)
    insert('tag', 'key, value', rows.tag)
    insert('route', 'start, end, url', rows.route)
    if (rows.sql) db.exec(rows.sql)
    db.close()
    return readFileSync(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
