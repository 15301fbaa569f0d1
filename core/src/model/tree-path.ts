import { ZosError } from '../error.js'

/** Limits of a path in a tree, in bytes of UTF-8, as Linux has them. */
export const PathLimit = { name: 255, path: 4096 } as const

export const splitPath = (path: string): string[] => (path === '/' ? [] : path.slice(1).split('/'))

export const joinPath = (directory: string, name: string): string =>
  directory === '/' ? `/${name}` : `${directory}/${name}`

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The order of `FileTree.records()`: names compared one by one, a directory before what is in it. */
export const comparePaths = (a: string, b: string): number => {
  const left = splitPath(a)
  const right = splitPath(b)
  const length = Math.min(left.length, right.length)
  for (let i = 0; i < length; i++) {
    const x = left[i]!
    const y = right[i]!
    if (x !== y) return x < y ? -1 : 1
  }
  return left.length - right.length
}

/** True for text with no lone surrogate: it has one UTF-8 form. */
export const isWellFormed = (text: string): boolean => !/[\ud800-\udfff]/.test(text) || !/\p{Cs}/u.test(text)

/** Text from outside as it may stand in a message: quoted, control characters escaped, cut at 200 characters. */
export const quote = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)

const problem = (path: string): { found: string; hint: string } | undefined => {
  const normal = 'write it as /usr/bin/env: absolute, without ".", "..", "//" or a "/" at the end'
  if (path[0] !== '/') return { found: 'is not absolute', hint: normal }
  if (path === '/') return undefined
  if (/\/\.{0,2}(?:\/|$)/.test(path)) return { found: 'is not in normal form', hint: normal }
  if (path.includes('\0')) return { found: 'contains a NUL character', hint: 'no file system can hold it; rename it' }
  if (!isWellFormed(path)) return { found: 'is not well-formed Unicode', hint: 'names are UTF-8 text; rename it' }
  // A UTF-16 unit takes at most three bytes: shorter paths cannot be over a limit.
  if (path.length * 3 <= PathLimit.name) return undefined
  const long = path.split('/').find((name) => Buffer.byteLength(name) > PathLimit.name)
  if (long !== undefined) {
    return {
      found: `has a name of ${Buffer.byteLength(long)} bytes`,
      hint: `a name has at most ${PathLimit.name} bytes`,
    }
  }
  const size = Buffer.byteLength(path)
  if (size > PathLimit.path) return { found: `has ${size} bytes`, hint: `a path has at most ${PathLimit.path} bytes` }
  return undefined
}

/** Gives the path back when it may stand in a tree; else throws `TREE_PATH`. */
export const checkPath = (path: string): string => {
  const wrong = typeof path === 'string' ? problem(path) : { found: 'is not text', hint: 'a path is a string' }
  if (wrong === undefined) return path
  throw new ZosError('TREE_PATH', `the path ${quote(String(path))} ${wrong.found}`, { hint: wrong.hint })
}
