// Cuts one cpio archive into blocks that are compressed apart, so that an edit compresses only what it touches.
import type { ArchivePiece } from '../format/archive-piece.js'
import { pathHash } from '../format/cpio.js'
import type { TreeRecord } from '../model/entry.js'

/** Records that change together: of one plugin; directories go first, since what is in them may come in any order. */
export interface Group {
  readonly name: string
  readonly records: readonly TreeRecord[]
}

/** Records by the plugin that put them, in the order in which `plugins` lists them; what nobody is known to own first. */
export const groupsOf = (records: Iterable<TreeRecord>, plugins: readonly string[]): Group[] => {
  const groups = new Map<string, TreeRecord[]>(['directories', ...plugins].map((name) => [name, []]))
  const linkGroup = new Map<string, string>()
  for (const record of records) {
    const owner = record.kind === 'directory' ? 'directories' : (record.origin?.plugin ?? 'directories')
    // All hard links of a file lie in the group of the first, so that its content does too.
    const link = record.kind === 'file' ? record.link : undefined
    const name = link === undefined ? owner : (linkGroup.get(link) ?? owner)
    if (link !== undefined) linkGroup.set(link, name)
    const group = groups.get(name) ?? []
    groups.set(name, group)
    group.push(record)
  }
  return [...groups].filter(([, list]) => list.length > 0).map(([name, list]) => ({ name, records: list }))
}

/** A run of pieces that is compressed on its own. Size in bytes. */
export interface Block {
  readonly group: string
  readonly pieces: readonly ArchivePiece[]
  readonly size: number
}

/** A block of a large group ends at the first record after `least` bytes whose path hashes to 0 modulo 8, at the latest after `most`. */
export interface BlockSizes {
  readonly least: number
  readonly most: number
}
export const defaultSizes: BlockSizes = { least: 8 << 20, most: 24 << 20 }

/**
 * Blocks of an archive. Where a group is cut depends on paths near the cut, not on what lies far before it: a file that
 * grows moves no other border.
 */
export const blocksOf = (
  pieces: readonly ArchivePiece[],
  groupOf: (path: string) => string,
  sizes = defaultSizes,
): Block[] => {
  const blocks: Block[] = []
  let open: { group: string; pieces: ArchivePiece[]; size: number } | undefined
  for (const piece of pieces) {
    const group = groupOf(piece.path)
    const isBorder =
      open &&
      (open.group !== group ||
        open.size + piece.size > sizes.most ||
        (open.size >= sizes.least && pathHash(piece.path) % 8 === 0))
    if (!open || isBorder) {
      if (open) blocks.push(open)
      open = { group, pieces: [], size: 0 }
    }
    open.pieces.push(piece)
    open.size += piece.size
  }
  if (open) blocks.push(open)
  return blocks
}
