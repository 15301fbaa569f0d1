// A flist as a value: what lies between its reader and its writer.
import type { Block } from './block.js'

/** Types of inodes: the bits S_IFMT of `st_mode`. */
export const fileType = {
  mask: 0o170_000,
  file: 0o100_000,
  directory: 0o040_000,
  symlink: 0o120_000,
  character: 0o020_000,
  block: 0o060_000,
  fifo: 0o010_000,
  socket: 0o140_000,
} as const

/** One inode, by its absolute path; hard links are inodes of their own with equal blocks. */
export interface FlistEntry {
  /** `/` is the root. */
  readonly path: string
  /** The full `st_mode`: type and permissions. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of a file's content, of a link's target; of a directory nothing that matters. */
  readonly size: number
  /** Device number as Linux encodes it (`st_rdev`); 0 where there is none. */
  readonly rdev: number
  /** Seconds since 1970. */
  readonly ctime: number
  readonly mtime: number
  /** Target of a symbolic link. */
  readonly target?: string
  /** Content of a file, in order. */
  readonly blocks: readonly Block[]
}

/** Which store has the blocks whose id's first byte is in `start` to `end`, both included. */
export interface Route {
  readonly start: number
  readonly end: number
  readonly url: string
}

export interface Flist {
  /** Parents before what is in them, the root first. */
  readonly entries: readonly FlistEntry[]
  readonly tags: ReadonlyMap<string, string>
  readonly routes: readonly Route[]
}

export const typeOf = ({ mode }: FlistEntry): number => mode & fileType.mask

export const isFile = (entry: FlistEntry): boolean => typeOf(entry) === fileType.file

/** A device number as Linux spreads it over 64 bits: glibc's gnu_dev_makedev. */
export const makeRdev = (major: number, minor: number): number =>
  Number(
    (BigInt(major & 0xfff) << 8n) | (BigInt(major >>> 12) << 44n) | BigInt(minor & 0xff) | (BigInt(minor >>> 8) << 20n),
  )

/** The reverse of `makeRdev`. */
export const splitRdev = (rdev: number): { major: number; minor: number } => {
  const bits = BigInt(rdev)
  return {
    major: Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xffff_f000n)),
    minor: Number((bits & 0xffn) | ((bits >> 12n) & 0xffff_ff00n)),
  }
}

/** Every block of a flist once, in the order of first use. */
export const blocksOf = ({ entries }: Pick<Flist, 'entries'>): Block[] => {
  const seen = new Map<string, Block>()
  for (const { blocks } of entries) for (const block of blocks) if (!seen.has(block.id)) seen.set(block.id, block)
  return [...seen.values()]
}
