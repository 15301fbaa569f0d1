// Writes the SQLite file of a flist, the same bytes for the same value. Source of the schema: the rfs program, version 0.2.
import { ZosError } from '@zos/core'
import Database from 'better-sqlite3'
import { blockSize } from './block.js'
import { type Flist, type FlistEntry, fileType, isFile, typeOf } from './flist.js'

export const schema = [
  `CREATE TABLE inode (
    ino INTEGER PRIMARY KEY AUTOINCREMENT,
    parent INTEGER,
    name VARCHAR(255),
    size INTEGER,
    uid INTEGER,
    gid INTEGER,
    mode INTEGER,
    rdev INTEGER,
    ctime INTEGER,
    mtime INTEGER
  )`,
  'CREATE INDEX parents ON inode (parent)',
  'CREATE INDEX names ON inode (name)',
  'CREATE TABLE extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096))',
  'CREATE TABLE block (ino INTEGER, id VARCHAR(32), key VARCHAR(32))',
  'CREATE INDEX block_ino ON block (ino)',
  'CREATE TABLE tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255))',
  'CREATE TABLE route (start INTEGER, end INTEGER, url VARCHAR(2048))',
]

/** Bytes that the format has room for: of a name, a link's target, a route's URL. */
export const limits = { name: 255, target: 4096, url: 2048 } as const

/** Bytes of a page of the file; part of what decides its bytes. */
const pageSize = 4096

/** The version of SQLite, which its files carry in their header: part of the key of every flist. */
export const sqliteVersion = (): string => {
  const db = new Database(':memory:')
  try {
    return db.prepare('SELECT sqlite_version()').pluck().get() as string
  } finally {
    db.close()
  }
}

const wrong = (path: string, found: string): ZosError =>
  new ZosError('FLIST_ENTRY', `${JSON.stringify(path)} ${found}`, { subject: path })

const checkEntry = (entry: FlistEntry): void => {
  const { path, size, blocks, target } = entry
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (/\p{Surrogate}/u.test(path)) throw wrong(path, 'is not UTF-8')
  if (Buffer.byteLength(name) > limits.name) throw wrong(path, `has a name of more than ${limits.name} bytes`)
  const wanted = isFile(entry) ? Math.ceil(size / blockSize) : 0
  if (blocks.length !== wanted) throw wrong(path, `has ${blocks.length} blocks; ${size} bytes need ${wanted}`)
  if ((target !== undefined) !== (typeOf(entry) === fileType.symlink))
    throw wrong(path, target === undefined ? 'is a link without a target' : 'has a target and is no link')
  if (target !== undefined && (target === '' || Buffer.byteLength(target) > limits.target))
    throw wrong(path, `has a target of ${Buffer.byteLength(target)} bytes; expected 1 to ${limits.target}`)
}

/** Writes a flist. Entries come parents first, the root (`/`, a directory) before all. Errors: `FLIST_ENTRY`, `FLIST_ROUTE`. */
export const writeFlist = ({ entries, tags, routes }: Flist): Uint8Array => {
  const db = new Database(':memory:')
  try {
    db.pragma(`page_size = ${pageSize}`)
    db.pragma("encoding = 'UTF-8'")
    const fill = db.transaction(() => {
      for (const statement of schema) db.exec(statement)
      writeInodes(db, entries)
      const route = db.prepare('INSERT INTO route (start, end, url) VALUES (?, ?, ?)')
      for (const { start, end, url } of routes) {
        if (Buffer.byteLength(url) > limits.url)
          throw new ZosError(
            'FLIST_ROUTE',
            `a route of ${Buffer.byteLength(url)} bytes; expected at most ${limits.url}`,
          )
        route.run(start, end, url)
      }
      const tag = db.prepare('INSERT INTO tag (key, value) VALUES (?, ?)')
      for (const [key, value] of [...tags].sort(([a], [b]) => (a < b ? -1 : 1))) tag.run(key, value)
    })
    fill()
    return db.serialize()
  } finally {
    db.close()
  }
}

const writeInodes = (db: Database.Database, entries: Iterable<FlistEntry>): void => {
  const inode = db.prepare(
    'INSERT INTO inode (parent, name, size, uid, gid, mode, rdev, ctime, mtime) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const extra = db.prepare('INSERT INTO extra (ino, data) VALUES (?, ?)')
  const block = db.prepare('INSERT INTO block (ino, id, key) VALUES (?, ?, ?)')
  const folders = new Map<string, number>()
  for (const entry of entries) {
    checkEntry(entry)
    const { path, size, uid, gid, mode, rdev, ctime, mtime, target, blocks } = entry
    const isRoot = path === '/'
    const slash = path.lastIndexOf('/')
    const parent = isRoot ? 0 : folders.get(path.slice(0, slash) || '/')
    if (parent === undefined || isRoot !== (folders.size === 0))
      throw wrong(path, 'comes before the directory it is in')
    const name = isRoot ? '/' : path.slice(slash + 1)
    const ino = Number(inode.run(parent, name, size, uid, gid, mode, rdev, ctime, mtime).lastInsertRowid)
    if (typeOf(entry) === fileType.directory) folders.set(path, ino)
    if (target !== undefined) extra.run(ino, Buffer.from(target))
    for (const { id, key } of blocks) block.run(ino, Buffer.from(id, 'hex'), Buffer.from(key, 'hex'))
  }
  if (folders.size === 0) throw wrong('/', 'is missing')
}
