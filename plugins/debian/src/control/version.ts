import { ZosError } from '@zos/core'

/** A version as dpkg splits it: `epoch:upstream-revision`. */
export interface DebianVersion {
  readonly epoch: number
  readonly upstream: string
  /** Empty when the version has none; equal to `0` in order. */
  readonly revision: string
}

export type VersionOperator = '<<' | '<=' | '=' | '>=' | '>>'

const longest = 1024
const largestEpoch = 2147483647

/**
 * Splits a version at its first colon and its last hyphen (deb-version(7)).
 * Throws `DEBIAN_VERSION` for what dpkg refuses: nothing, an epoch that is no number, characters outside the alphabet.
 */
export const parseVersion = (text: string): DebianVersion => {
  const wrong = (why: string) => new ZosError('DEBIAN_VERSION', `'${text.slice(0, 100)}' is not a version: ${why}`)
  if (text.length === 0) throw wrong('it is empty')
  if (text.length > longest) throw wrong(`it is longer than ${longest} characters`)
  const colon = text.indexOf(':')
  const rest = text.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen)
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1)
  let epoch = 0
  if (colon >= 0) {
    const digits = text.slice(0, colon)
    if (!/^[0-9]+$/.test(digits)) throw wrong(`the epoch '${digits}' is not a number`)
    epoch = Number(digits)
    if (epoch > largestEpoch) throw wrong(`the epoch is above ${largestEpoch}`)
  }
  if (upstream.length === 0) throw wrong('nothing stands between epoch and revision')
  if (hyphen >= 0 && revision.length === 0) throw wrong('nothing follows the last hyphen')
  if (!/^[A-Za-z0-9.+~:-]+$/.test(upstream)) throw wrong('only A-Z a-z 0-9 . + ~ : - may stand in it')
  if (!/^[A-Za-z0-9.+~]*$/.test(revision)) throw wrong('only A-Z a-z 0-9 . + ~ may stand in the revision')
  return { epoch, upstream, revision }
}

export const isVersion = (text: string): boolean => {
  try {
    parseVersion(text)
    return true
  } catch {
    return false
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** `~` before the end, the end before letters, letters before the rest; a digit counts as the end of a word. */
const weight = (code: number): number => {
  if (Number.isNaN(code) || isDigit(code)) return 0
  if (code === 126) return -1
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) ? code : code + 256
}

/** Compares two upstream parts or two revisions: words by weight and numbers by value, in turn. */
const compareParts = (a: string, b: string): number => {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const difference = weight(a.charCodeAt(i)) - weight(b.charCodeAt(j))
      if (difference !== 0) return difference
      i++
      j++
    }
    while (a.charCodeAt(i) === 48) i++
    while (b.charCodeAt(j) === 48) j++
    let first = 0
    while (isDigit(a.charCodeAt(i)) && isDigit(b.charCodeAt(j))) {
      if (first === 0) first = a.charCodeAt(i) - b.charCodeAt(j)
      i++
      j++
    }
    if (isDigit(a.charCodeAt(i))) return 1
    if (isDigit(b.charCodeAt(j))) return -1
    if (first !== 0) return first
  }
  return 0
}

/** dpkg's order: below 0, 0 or above 0. Throws `DEBIAN_VERSION` if one of them is not a version. */
export const compareVersions = (a: string, b: string): number => {
  if (a === b) return 0
  const left = parseVersion(a)
  const right = parseVersion(b)
  const order =
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  return Math.sign(order)
}

/** Whether `version operator bound` holds, as in `libc6 (>= 2.36)`. */
export const versionHolds = (version: string, operator: VersionOperator, bound: string): boolean => {
  const order = compareVersions(version, bound)
  switch (operator) {
    case '<<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '>=':
      return order >= 0
    case '>>':
      return order > 0
  }
}
