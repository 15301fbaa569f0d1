// Loaded before zos by `node --import`: counts what zos writes, and ends the process by KILL at the operation KILL_AT.
// A write that is hit leaves half of its bytes. OPERATIONS names a file that gets the list of all operations.
import childProcess from 'node:child_process'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import Database from 'better-sqlite3'

const killAt = Number(process.env.KILL_AT ?? 0)
const list = process.env.OPERATIONS
const operations: string[] = []

const die = (): boolean => process.kill(process.pid, 'SIGKILL')

/** Counts one operation; `true` where the process has to end. */
const isLast = (name: string, subject: unknown): boolean => {
  operations.push(`${name} ${String(subject)}`)
  return operations.length === killAt
}

// biome-ignore lint/suspicious/noExplicitAny: functions of any shape are wrapped.
type Any = any

const half = (content: Any): Any =>
  typeof content === 'string' || content instanceof Uint8Array ? content.slice(0, content.length >> 1) : content

/** Functions whose second argument is content. */
const writes = new Set(['writeFile', 'writeFileSync', 'appendFile', 'appendFileSync'])

const wrapSync = (target: Any, name: string, subject = (args: Any[]): unknown => args[0]): void => {
  const original = target[name]
  target[name] = function (this: Any, ...args: Any[]): Any {
    if (!isLast(name, subject(args))) return original.apply(this, args)
    if (writes.has(name)) original.call(this, args[0], half(args[1]), ...args.slice(2))
    // Every other operation is done whole, or not at all.
    else if (operations.length % 2 === 0) original.apply(this, args)
    return die()
  }
}

const wrapAsync = (target: Any, name: string): void => {
  const original = target[name]
  target[name] = async function (this: Any, ...args: Any[]): Promise<Any> {
    if (!isLast(name, args[0])) return original.apply(this, args)
    if (writes.has(name)) await original.call(this, args[0], half(args[1]), ...args.slice(2))
    else if (operations.length % 2 === 0) await original.apply(this, args)
    return die()
  }
}

if (isMainThread) {
  for (const name of ['writeFileSync', 'renameSync', 'mkdirSync', 'rmSync', 'rmdirSync', 'chmodSync', 'copyFileSync'])
    wrapSync(fs, name)
  for (const name of ['writeFile', 'rename', 'mkdir', 'rm', 'chmod', 'copyFile', 'symlink', 'utimes', 'lutimes'])
    wrapAsync(fs.promises, name)
  const { open } = fs.promises
  fs.promises.open = (async (...args: Parameters<typeof open>) => {
    const file = await open(...args)
    const write = file.write as Any
    ;(file as Any).write = async (bytes: Any, ...more: Any[]): Promise<Any> => {
      if (!isLast('write', args[0])) return write.call(file, bytes, ...more)
      const [offset, length, position] = more
      // With a range given, half of the range: a length beyond the bytes would be refused, and nothing be killed.
      if (typeof length === 'number') await write.call(file, bytes, offset, length >> 1, position)
      else await write.call(file, half(bytes), ...more)
      return die()
    }
    return file
  }) as typeof open
  wrapSync(childProcess, 'spawn', ([file, args]) => `${file} ${args?.at?.(-1)}`)
  syncBuiltinESMExports()
  const { prepare } = Database.prototype
  Database.prototype.prepare = function (this: Any, sql: string) {
    const statement = prepare.call(this, sql)
    if (!statement.reader) wrapSync(statement, 'run', () => sql)
    return statement
  } as typeof prepare
  if (list) process.on('exit', () => fs.writeFileSync(list, operations.join('\n')))
}
