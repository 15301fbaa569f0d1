// What differs between two snapshots, as plain data.
import type { Entry } from '../model/entry.js'
import { differences } from '../model/lock.js'
import { type LineChange, lineChanges } from '../report/line-changes.js'
import { kernelOptions } from './packages.js'
import type { Snapshot } from './snapshot.js'

/** A value by name that one side has otherwise; `null` where it has none. */
export interface Changed {
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

export interface FileDifference {
  readonly path: string
  readonly change: 'new' | 'gone' | 'content' | 'attributes' | 'kind'
  readonly before?: Entry
  readonly after?: Entry
  /** Of small texts that are at hand. */
  readonly lines?: readonly LineChange[]
}

export interface Comparison {
  readonly outputs: readonly Changed[]
  readonly packages: readonly Changed[]
  readonly files: readonly FileDifference[]
  /** Files that services are made of, which are in `files` too. */
  readonly units: readonly string[]
  readonly kernelConfig: readonly Changed[]
  readonly lock: readonly string[]
}

const changed = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Changed[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }))

const changeOf = (before: Entry | undefined, after: Entry | undefined): FileDifference['change'] => {
  if (!before) return 'new'
  if (!after) return 'gone'
  if (before.kind !== after.kind) return 'kind'
  const content = (entry: Entry): string =>
    entry.kind === 'file' ? entry.blob.sha256 : entry.kind === 'symlink' ? entry.target : ''
  return content(before) === content(after) ? 'attributes' : 'content'
}

/** Lines of texts up to this size are told. Characters. */
const largestText = 64 * 1024

const linesOf = (
  path: string,
  before: Entry | undefined,
  after: Entry | undefined,
  a: Snapshot,
  b: Snapshot,
): LineChange[] | undefined => {
  if (before?.kind !== 'file' || after?.kind !== 'file' || before.blob.sha256 === after.blob.sha256) return undefined
  if (Math.max(before.blob.size, after.blob.size) > largestText) return undefined
  const [old, now] = [a.text(path, before.blob.sha256), b.text(path, after.blob.sha256)]
  return old === undefined || now === undefined || /[\0\ufffd]/.test(old + now) ? undefined : lineChanges(old, now)
}

const compareTrees = (a: Snapshot, b: Snapshot): FileDifference[] =>
  !a.tree || !b.tree
    ? []
    : Array.from(a.tree.diff(b.tree), ({ path, before, after }) => {
        const lines = linesOf(path, before, after, a, b)
        return {
          path,
          change: changeOf(before, after),
          ...(before && { before }),
          ...(after && { after }),
          ...(lines && { lines }),
        }
      })

/** Options of the one kernel config that a side has. */
const kernelOf = ({ files }: Snapshot): Record<string, string> | undefined => {
  for (const text of files?.values() ?? []) {
    const options = kernelOptions(text)
    if (options) return options
  }
  return undefined
}

/** Lines of a lock's differences that are told. */
const mostLockLines = 200

export const compare = (a: Snapshot, b: Snapshot): Comparison => {
  const sums = ({ outputs = [] }: Snapshot): Record<string, string> =>
    Object.fromEntries(outputs.map(({ name, sha256 }) => [name, sha256]))
  const [old, now] = [kernelOf(a), kernelOf(b)]
  const files = compareTrees(a, b)
  return {
    outputs: [
      ...(a.outputs && b.outputs ? changed(sums(a), sums(b)) : []),
      ...(a.archive && b.archive ? changed(a.archive, b.archive) : []),
    ],
    packages: a.packages && b.packages ? changed(a.packages, b.packages) : [],
    files,
    units: files.flatMap(({ path }) => (/^\/(etc|usr\/lib)\/(zinit|systemd|init\.d)\//.test(path) ? [path] : [])),
    kernelConfig: old && now ? changed(old, now) : [],
    lock: a.lock && b.lock ? differences(a.lock, b.lock, '', mostLockLines) : [],
  }
}
