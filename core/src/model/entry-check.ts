import { ZosError } from '../error.js'
import type { Blob, Entry, Origin } from './entry.js'
import { isWellFormed, quote } from './tree-path.js'

/** Linux: ids are 32 bits without the last value, device numbers 12 and 20 bits, an attribute's value 64 KiB. */
const Limit = { mode: 0o7777, id: 0xffff_fffe, major: 0xfff, minor: 0xf_ffff, target: 4095, xattr: 65_536 } as const

const whole = (value: unknown, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most

const text = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && !value.includes('\0') && isWellFormed(value)

const refuse = (path: string, field: string, found: unknown, expected: string): never => {
  const shown = typeof found === 'string' ? quote(found) : (JSON.stringify(found) ?? String(found))
  throw new ZosError('TREE_RECORD', `${path}: ${field} is ${shown}, expected ${expected}`)
}

const checkBlob = (blob: Blob | undefined, path: string): Blob => {
  if (typeof blob?.sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(blob.sha256)) {
    refuse(path, 'the SHA-256 of the content', blob?.sha256, '64 hex digits in lower case')
  }
  if (!whole(blob?.size, Number.MAX_SAFE_INTEGER)) refuse(path, 'the size', blob?.size, 'a whole number of bytes')
  return Object.freeze({ sha256: blob!.sha256, size: blob!.size })
}

const checkXattrs = (xattrs: Readonly<Record<string, string>>, path: string) => {
  if (typeof xattrs !== 'object' || xattrs === null) refuse(path, 'the extended attributes', xattrs, 'an object')
  // Not `{}`: an attribute may be called `__proto__`.
  const sorted: [string, string][] = []
  for (const name of Object.keys(xattrs).sort()) {
    const value = xattrs[name]
    if (!text(name) || !/^[a-z]+\../.test(name) || Buffer.byteLength(name) > 255) {
      refuse(path, 'an extended attribute', name, 'a full name such as security.capability')
    }
    if (typeof value !== 'string' || Buffer.from(value, 'base64').toString('base64') !== value) {
      refuse(path, `the extended attribute ${name}`, value, 'base64 text')
    }
    if (value!.length > (Limit.xattr * 4) / 3 + 4) {
      refuse(path, `the size of the extended attribute ${name}`, value!.length, `at most ${Limit.xattr} bytes`)
    }
    sorted.push([name, value!])
  }
  return sorted.length === 0 ? undefined : Object.freeze(Object.fromEntries(sorted))
}

/** Thousands of records share one origin. */
const checkedOrigins = new WeakSet<Origin>()

const checkOrigin = (origin: Origin, path: string): Origin => {
  if (checkedOrigins.has(origin)) return origin
  if (!text(origin?.plugin)) refuse(path, 'the plugin of the origin', origin?.plugin, 'its name')
  const { plugin, package: name, source } = origin
  if (name !== undefined && !text(name)) refuse(path, 'the package of the origin', name, 'its name')
  if (source !== undefined && !text(source)) refuse(path, 'the source of the origin', source, 'its name')
  const checked = { plugin, ...(name !== undefined && { package: name }), ...(source !== undefined && { source }) }
  checkedOrigins.add(Object.freeze(checked))
  return checked
}

/**
 * A frozen copy of an entry with its known members only, without `link`. Throws `TREE_RECORD` where a value is none
 * that Linux has: mode over 0o7777, ids over 2³²-2, device numbers over 12 and 20 bits, targets over 4095 bytes.
 */
export const checkEntry = (entry: Entry, path: string): Entry => {
  if (!whole(entry.mode, Limit.mode)) refuse(path, 'the mode', entry.mode, 'permission bits from 0 to 0o7777')
  if (!whole(entry.uid, Limit.id)) refuse(path, 'the uid', entry.uid, `a whole number up to ${Limit.id}`)
  if (!whole(entry.gid, Limit.id)) refuse(path, 'the gid', entry.gid, `a whole number up to ${Limit.id}`)
  const xattrs = entry.xattrs === undefined ? undefined : checkXattrs(entry.xattrs, path)
  const origin = entry.origin === undefined ? undefined : checkOrigin(entry.origin, path)
  const attributes = {
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    ...(xattrs && { xattrs }),
    ...(origin && { origin }),
  }
  switch (entry.kind) {
    case 'file':
      return Object.freeze({ kind: entry.kind, ...attributes, blob: checkBlob(entry.blob, path) })
    case 'directory':
    case 'fifo':
      return Object.freeze({ kind: entry.kind, ...attributes })
    case 'symlink':
      if (!text(entry.target)) refuse(path, 'the target of the symbolic link', entry.target, 'text that is not empty')
      if (Buffer.byteLength(entry.target) > Limit.target) {
        refuse(path, 'the target of the symbolic link', entry.target, `at most ${Limit.target} bytes`)
      }
      return Object.freeze({ kind: entry.kind, ...attributes, target: entry.target })
    case 'character':
    case 'block':
      if (!whole(entry.major, Limit.major)) refuse(path, 'the major number', entry.major, `0 to ${Limit.major}`)
      if (!whole(entry.minor, Limit.minor)) refuse(path, 'the minor number', entry.minor, `0 to ${Limit.minor}`)
      return Object.freeze({ kind: entry.kind, ...attributes, major: entry.major, minor: entry.minor })
    default:
      return refuse(
        path,
        'the kind',
        (entry as { kind: unknown }).kind,
        'file, directory, symlink, character, block or fifo',
      )
  }
}
