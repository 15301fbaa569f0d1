// Routes: `[xx-xx=]URL`, as the rfs program takes them, and what of a URL may be seen by others.
import { ExitCode, ZosError } from '@zos/core'
import type { Block } from './block.js'
import type { Route } from './flist.js'

const code = 'FLIST_ROUTE'

const hint =
  'expected dir:///PATH, s3://KEY:SECRET@HOST:PORT/BUCKET/PREFIX?region=NAME, s3s://… for HTTPS; in front of it perhaps a range: 00-7f='

/** A URL as it may be shown, also one that is wrong: a secret key may hold any character. */
export const masked = (url: string): string => url.replace(/:\/\/.*@/s, '://•••@')

/** Reads `00-7f`; `undefined` where it is no range. */
export const parseRange = (text: string): Pick<Route, 'start' | 'end'> | undefined => {
  const match = /^([0-9a-f]{2})-([0-9a-f]{2})$/.exec(text)
  const [start, end] = [Number.parseInt(match?.[1] ?? '', 16), Number.parseInt(match?.[2] ?? '', 16)]
  return start <= end ? { start, end } : undefined
}

/** Reads a store as the command line and the config name it. The range is hexadecimal, without one it is everything. */
export const parseRoute = (text: string): Route => {
  const match = /^([0-9a-fA-F]{2}-[0-9a-fA-F]{2})=(.+)$/s.exec(text)
  const fail = (found: string): never => {
    throw new ZosError(code, `${masked(text)}: ${found}`, { hint, exit: ExitCode.config })
  }
  const [range, url] = match ? [parseRange(match[1]!.toLowerCase()), match[2]!] : [{ start: 0, end: 255 }, text]
  if (!range) return fail('the range ends before it begins')
  const scheme = /^([a-z][a-z0-9+]*):\/\//.exec(url)?.[1]
  if (scheme === undefined) fail('this is no URL')
  if (scheme === 's3+tls') fail('the rfs program refuses s3+tls://; HTTPS is s3s://')
  return { ...range, url }
}

/** First bytes of ids that no route leads to, as ranges `80-ff`. */
export const uncovered = (routes: readonly Pick<Route, 'start' | 'end'>[]): string[] => {
  const gaps: string[] = []
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0')
  for (let at = 0, from = -1; at <= 256; at++) {
    const isGap = at < 256 && !routes.some(({ start, end }) => start <= at && at <= end)
    if (isGap && from < 0) from = at
    if (!isGap && from >= 0) {
      gaps.push(`${hex(from)}-${hex(at - 1)}`)
      from = -1
    }
  }
  return gaps
}

/** Refuses routes that leave blocks without a store. */
export const checkCoverage = (routes: readonly Pick<Route, 'start' | 'end'>[], what: string): void => {
  const gaps = uncovered(routes)
  if (gaps.length === 0) return
  throw new ZosError(code, `${what}: no store for blocks ${gaps.join(', ')}`, {
    hint: 'the ranges together have to cover 00 to ff',
    exit: ExitCode.config,
  })
}

/** Whether a route is for this block. */
export const leadsTo = ({ start, end }: Pick<Route, 'start' | 'end'>, { id }: Block): boolean => {
  const first = Number.parseInt(id.slice(0, 2), 16)
  return start <= first && first <= end
}

/** Scheme, what may stand before the last `@`, and the rest; a path of a folder may have an `@` of its own. */
const parts = (url: string): { scheme: string; credentials: string | undefined; rest: string } | undefined => {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:(.*)@)?([^@]*)$/s.exec(url)
  if (!match || url.startsWith('dir:')) return undefined
  return { scheme: match[1]!, credentials: match[2], rest: match[3]! }
}

/** A URL without user and password, also where these have characters that they should not. */
export const withoutCredentials = (url: string): string => {
  const found = parts(url)
  return found ? `${found.scheme}${found.rest}` : url
}

/** Credentials in a URL, as they stand there. */
const credentialsIn = (url: string): { user: string; password: string } | undefined => {
  const credentials = parts(url)?.credentials
  if (credentials === undefined) return undefined
  const colon = credentials.indexOf(':')
  return colon < 0
    ? { user: credentials, password: '' }
    : { user: credentials.slice(0, colon), password: credentials.slice(colon + 1) }
}

/** What URLs take as it stands, and readers that decode nothing understand. */
const plain = /^[A-Za-z0-9._~-]*$/

/** Refuses a route that the rfs program could not use: it decodes neither user nor password. */
export const checkReadable = ({ url }: Pick<Route, 'url'>): void => {
  const found = credentialsIn(url)
  for (const [name, value] of [
    ['access key', found?.user],
    ['secret key', found?.password],
  ]) {
    if (value === undefined || plain.test(value)) continue
    throw new ZosError(code, `${masked(url)}: its ${name} has a character that a URL has to escape`, {
      hint: 'rfs on the node takes the keys as they stand in the URL: make a read key of letters, digits, - . _ and ~',
      exit: ExitCode.config,
    })
  }
}

/** `00-ff s3://…` without credentials: for people. */
export const shownRoute = ({ start, end, url }: Route): string =>
  `${start.toString(16).padStart(2, '0')}-${end.toString(16).padStart(2, '0')} ${withoutCredentials(url)}`
