// Reads the SQLite file of a flist, whoever wrote it, and checks all that a reader relies on.
import { ZosError } from '@zos/core'
import Database from 'better-sqlite3'
import { type Block, blockSize } from './block.js'
import { type Flist, type FlistEntry, fileType, type Route } from './flist.js'
import { limits } from './flist-write.js'

/** Bytes of the largest flist that is read, and the most rows of a table. */
export const flistLimit = 1024 ** 3
const rowLimit = 5_000_000

const columns: Readonly<Record<string, readonly string[]>> = {
  inode: ['ino', 'parent', 'name', 'size', 'uid', 'gid', 'mode', 'rdev', 'ctime', 'mtime'],
  extra: ['ino', 'data'],
  block: ['ino', 'id', 'key'],
  tag: ['key', 'value'],
  route: ['start', 'end', 'url'],
}

interface InodeRow {
  ino: number
  parent: number
  name: unknown
  size: number
  uid: number
  gid: number
  mode: number
  rdev: number
  ctime: number
  mtime: number
}

const damaged = (file: string, found: string, cause?: unknown): ZosError =>
  new ZosError('FLIST_FORMAT', `${file}: ${found}`, {
    hint: 'expected a flist: a SQLite file with the tables inode, extra, block, tag and route',
    cause,
  })

/** Reads a flist; `file` names it in errors. Whatever is not one, or is damaged, is `FLIST_FORMAT`. */
export const readFlist = (bytes: Uint8Array, file: string): Flist => {
  if (bytes.length > flistLimit) throw damaged(file, `${bytes.length} bytes, more than ${flistLimit}`)
  if (Buffer.from(bytes.subarray(0, 16)).toString('latin1') !== 'SQLite format 3\0')
    throw damaged(file, 'no SQLite file')
  if (bytes[18] !== 1 || bytes[19] !== 1)
    throw damaged(file, 'its journal is in WAL mode; a flist is one whole file (journal mode delete)')
  let db: Database.Database | undefined
  try {
    db = new Database(Buffer.from(bytes), { readonly: true })
    db.pragma('trusted_schema = OFF')
    db.pragma('cell_size_check = ON')
    const [check] = db.pragma('quick_check(1)') as { quick_check: string }[]
    if (check?.quick_check !== 'ok') throw damaged(file, `SQLite says: ${check?.quick_check}`)
    checkSchema(db, file)
    return { entries: readEntries(db, file), tags: readTags(db, file), routes: readRoutes(db, file) }
  } catch (cause) {
    if (cause instanceof ZosError) throw cause
    throw damaged(file, `SQLite says: ${(cause as Error).message}`, cause)
  } finally {
    db?.close()
  }
}

/** Tables and nothing that runs by itself: a view or trigger in their place could keep a reader busy for ever. */
const checkSchema = (db: Database.Database, file: string): void => {
  const types = new Map(
    (db.prepare('SELECT name, type FROM sqlite_master').all() as { name: string; type: string }[]).map(
      ({ name, type }) => [name, type],
    ),
  )
  for (const [name, type] of types)
    if (type !== 'table' && type !== 'index') throw damaged(file, `has a ${type}, ${JSON.stringify(name)}`)
  for (const [table, names] of Object.entries(columns)) {
    const found = (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name)
    if (types.get(table) !== 'table' || names.some((name) => !found.includes(name)))
      throw damaged(file, `has no table ${table}(${names.join(', ')})`)
  }
}

const all = <Row>(db: Database.Database, file: string, query: string): Row[] => {
  const rows: Row[] = []
  for (const row of db.prepare(query).iterate()) {
    rows.push(row as Row)
    if (rows.length > rowLimit) throw damaged(file, `has more than ${rowLimit} rows in a table`)
  }
  return rows
}

const readEntries = (db: Database.Database, file: string): FlistEntry[] => {
  const children = new Map<number, InodeRow[]>()
  const inodes = all<InodeRow>(db, file, `SELECT ${columns.inode!.join(', ')} FROM inode ORDER BY ino`)
  for (const row of inodes) {
    const siblings = children.get(row.parent)
    if (siblings) siblings.push(row)
    else children.set(row.parent, [row])
  }
  const [root, second] = children.get(0) ?? []
  if (!root || second || root.ino !== 1 || (root.mode & fileType.mask) !== fileType.directory)
    throw damaged(file, 'its root is not the one directory with number 1 and parent 0')
  const targets = new Map(
    all<{ ino: number; data: unknown }>(db, file, 'SELECT ino, data FROM extra').map(({ ino, data }) => [ino, data]),
  )
  const blocks = readBlocks(db, file)
  const entries: FlistEntry[] = []
  const waiting: { row: InodeRow; path: string }[] = [{ row: root, path: '/' }]
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { row, path } = next
    entries.push(entryOf(file, path, row, targets.get(row.ino), blocks.get(row.ino) ?? []))
    const inside = children.get(row.ino)
    if (!inside) continue
    if ((row.mode & fileType.mask) !== fileType.directory)
      throw damaged(file, `${path} is no directory and has children`)
    const named = inside.map((child) => ({ row: child, name: nameOf(file, path, child.name) }))
    named.sort((a, b) => (a.name < b.name ? 1 : -1))
    for (const [at, { row: child, name }] of named.entries()) {
      if (named[at + 1]?.name === name) throw damaged(file, `${path} has two entries ${JSON.stringify(name)}`)
      waiting.push({ row: child, path: path === '/' ? `/${name}` : `${path}/${name}` })
    }
  }
  if (entries.length !== inodes.length)
    throw damaged(file, `${inodes.length - entries.length} inodes are in no directory that can be reached`)
  return entries
}

const nameOf = (file: string, folder: string, name: unknown): string => {
  const isName =
    typeof name === 'string' &&
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\0]/.test(name) &&
    !/\p{Surrogate}/u.test(name)
  if (isName && Buffer.byteLength(name) <= limits.name) return name
  throw damaged(file, `${folder} has an entry with the name ${JSON.stringify(String(name).slice(0, 80))}`)
}

const readBlocks = (db: Database.Database, file: string): Map<number, Block[]> => {
  const blocks = new Map<number, Block[]>()
  // In the order of insertion, which is the order in the file.
  for (const row of all<{ ino: number; id: unknown; key: unknown }>(
    db,
    file,
    'SELECT ino, id, key FROM block ORDER BY rowid',
  )) {
    const { ino, id, key } = row
    if (!(Buffer.isBuffer(id) && Buffer.isBuffer(key) && id.length === 32 && key.length === 32))
      throw damaged(file, `a block of inode ${ino} has no id or key of 32 bytes`)
    const block = { id: id.toString('hex'), key: key.toString('hex') }
    const others = blocks.get(ino)
    if (others) others.push(block)
    else blocks.set(ino, [block])
  }
  return blocks
}

const entryOf = (file: string, path: string, row: InodeRow, data: unknown, blocks: Block[]): FlistEntry => {
  const { mode, uid, gid, size, rdev, ctime, mtime } = row
  for (const [name, value] of Object.entries({ mode, uid, gid, size, rdev, ctime, mtime }))
    if (!Number.isSafeInteger(value) || (value < 0 && name !== 'ctime' && name !== 'mtime'))
      throw damaged(file, `${path}: ${name} is ${JSON.stringify(value)}`)
  const type = mode & fileType.mask
  if (!Object.values(fileType).includes(type as never) || type === fileType.mask)
    throw damaged(file, `${path}: mode ${mode.toString(8)} is of no known type`)
  const wanted = type === fileType.file ? Math.ceil(size / blockSize) : 0
  if (blocks.length !== wanted) throw damaged(file, `${path}: ${blocks.length} blocks; ${size} bytes need ${wanted}`)
  const entry = { path, mode, uid, gid, size, rdev, ctime, mtime, blocks }
  if (type !== fileType.symlink) return entry
  const target = Buffer.isBuffer(data) ? data.toString('utf8') : data
  const isTarget = typeof target === 'string' && target !== '' && !target.includes('\0')
  if (isTarget && Buffer.byteLength(target) <= limits.target) return { ...entry, target }
  throw damaged(file, `${path} is a link without a target`)
}

const readTags = (db: Database.Database, file: string): Map<string, string> =>
  new Map(
    all<{ key: unknown; value: unknown }>(db, file, 'SELECT key, value FROM tag ORDER BY key').map(({ key, value }) => [
      String(key),
      String(value),
    ]),
  )

const readRoutes = (db: Database.Database, file: string): Route[] =>
  all<Route>(db, file, 'SELECT start, end, url FROM route ORDER BY rowid').map(({ start, end, url }) => {
    const isRange = [start, end].every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255) && start <= end
    if (isRange && typeof url === 'string' && Buffer.byteLength(url) <= limits.url) return { start, end, url }
    throw damaged(file, `a route from ${start} to ${end}; expected 0 to 255`)
  })
