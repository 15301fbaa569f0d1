// Shares of an archive by package, plugin, folder or file, and what differs between two. Pure.
import type { Origin } from '../model/entry.js'
import type { ArchiveShares } from './archive-shares.js'

export const ways = ['package', 'plugin', 'folder', 'file'] as const
export type Way = (typeof ways)[number]

/** What one package, plugin, folder or file takes. Bytes; `was` where two builds are compared: 0 is new. */
export interface Share {
  readonly name: string
  readonly packed: number
  readonly plain: number
  readonly files: number
  readonly was?: number
}

export type OriginOf = (path: string) => Origin | undefined

const folderOf = (path: string, depth: number): string => {
  const parts = path.split('/').slice(1, -1)
  return `/${parts.slice(0, depth).join('/')}`
}

const nameBy =
  (way: Way, originOf: OriginOf, depth: number): ((path: string) => string) =>
  (path) => {
    if (way === 'file') return path
    if (way === 'folder') return folderOf(path, depth)
    const origin = originOf(path)
    const plugin = origin?.plugin ?? 'directories'
    if (way === 'plugin') return plugin
    return origin?.package ? `${plugin} ${origin.package}` : plugin
  }

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Largest first. Folders are those `depth` levels below the root, each with all that is below it. */
export const sharesBy = (way: Way, shares: ArchiveShares, originOf: OriginOf, depth = 2): Share[] => {
  const nameOf = nameBy(way, originOf, depth)
  const found = new Map<string, { packed: number; plain: number; files: number }>()
  for (const { path, packed, plain } of shares.files) {
    const name = nameOf(path)
    const sum = found.get(name) ?? { packed: 0, plain: 0, files: 0 }
    found.set(name, sum)
    sum.packed += packed
    sum.plain += plain
    sum.files++
  }
  return [...found]
    .map(([name, sum]) => ({ name, ...sum }))
    .sort((a, b) => b.packed - a.packed || byName(a.name, b.name))
}

/** Shares now with what they were, the greatest change first; what is gone has 0 bytes now. */
export const compared = (now: readonly Share[], before: readonly Share[]): Share[] => {
  const old = new Map(before.map((share) => [share.name, share]))
  const names = new Set(now.map(({ name }) => name))
  const gone = before
    .filter(({ name }) => !names.has(name))
    .map(({ name, packed }) => ({ name, packed: 0, plain: 0, files: 0, was: packed }))
  const change = ({ packed, was = 0 }: Share): number => packed - was
  return [...now.map((share) => ({ ...share, was: old.get(share.name)?.packed ?? 0 })), ...gone].sort(
    (a, b) => Math.abs(change(b)) - Math.abs(change(a)) || b.packed - a.packed || byName(a.name, b.name),
  )
}
