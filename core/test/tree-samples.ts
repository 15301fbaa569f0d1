import * as assert from 'uvu/assert'
import type { ZosError } from '../dist/error.js'
import { sha256 } from '../dist/model/canonical.js'
import type { Entry, Origin, TreeRecord } from '../dist/model/entry.js'
import type { FileTree } from '../dist/model/tree.js'

type Extra = { mode?: number; origin?: Origin; link?: string; xattrs?: Record<string, string> }

export const blob = (content: string) => ({ sha256: sha256(content), size: Buffer.byteLength(content) })

export const file = (path: string, content = path, extra: Extra = {}): TreeRecord => ({
  path,
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  blob: blob(content),
  ...extra,
})

export const directory = (path: string, extra: Extra = {}): TreeRecord => ({
  path,
  kind: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...extra,
})

export const symlink = (path: string, target: string, extra: Extra = {}): TreeRecord => ({
  path,
  kind: 'symlink',
  mode: 0o777,
  uid: 0,
  gid: 0,
  target,
  ...extra,
})

export const mergedUsr = [
  directory('/usr/bin'),
  directory('/usr/lib'),
  symlink('/bin', 'usr/bin'),
  symlink('/lib', 'usr/lib'),
]

export const paths = (tree: FileTree): string[] => Array.from(tree.records(), ({ path }) => path)

export const linkOf = (entry: Entry | undefined): string | undefined =>
  entry?.kind === 'file' ? entry.link : undefined

/** Asserts the code of what is thrown, and that the message says all of `words`. */
export const throwsWith = (run: () => unknown, code: string, ...words: string[]): ZosError => {
  let thrown: ZosError | undefined
  try {
    run()
  } catch (error) {
    thrown = error as ZosError
  }
  if (thrown === undefined) throw new Error(`nothing was thrown, expected ${code}`)
  assert.is(thrown.code, code, thrown.stack ?? '')
  for (const word of words) assert.ok(thrown.message.includes(word), `"${thrown.message}" does not say "${word}"`)
  return thrown
}
