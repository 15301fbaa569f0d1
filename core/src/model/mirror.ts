// A mirror of locked inputs: what its index says, and the note beside the lock that says which index counts.
import { ExitCode, ZosError } from '../error.js'
import type { Json } from './canonical.js'
import type { Blob } from './entry.js'

/** What a fetched source gave, by digest. */
export interface MirroredInput {
  /** `<plugin>/<source>`, for people. */
  readonly name: string
  /** Kind of the source, for people. */
  readonly kind: string
  readonly blob?: Blob
  /** Digest of the tree, and the blob of its records. */
  readonly tree?: { readonly digest: string; readonly blob: Blob }
  readonly facts?: Json
  readonly sources?: Readonly<Record<string, Json>>
}

/** One index holds the inputs of one lock and architecture, by the digest of source and pin. */
export type MirrorIndex = Readonly<Record<string, MirroredInput>>

/** The note beside the lock, `zos.mirror.json`: committed, it makes everything in a mirror known by digest. */
export interface MirrorNote {
  readonly version: 1
  readonly arch: Readonly<Record<string, { readonly index: Blob; readonly inputs: number }>>
}

/** Bytes of an index: some 300 an input. */
export const largestIndex = 256 * 1024 * 1024

export const blobKey = ({ sha256 }: Blob): string => `blobs/${sha256.slice(0, 2)}/${sha256}`
export const treeKey = ({ sha256 }: Blob): string => `trees/${sha256.slice(0, 2)}/${sha256}.tar.gz`
export const indexKey = ({ sha256 }: Blob): string => `index/${sha256}.json`

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isBlob = (value: unknown): value is Blob =>
  isRecord(value) &&
  /^[0-9a-f]{64}$/.test(String(value.sha256)) &&
  Number.isSafeInteger(value.size) &&
  (value.size as number) >= 0

const parse = (text: string, file: string, isGood: (value: unknown) => boolean): unknown => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (isGood(value)) return value
  throw new ZosError('MIRROR_INVALID', `${file} is not what zos lock --mirror writes`, {
    hint: 'put back the last good version, or make the mirror again: zos lock --mirror TARGET',
    exit: ExitCode.lock,
  })
}

/** Parses the note; anything else is `MIRROR_INVALID`. */
export const parseMirrorNote = (text: string, file: string): MirrorNote =>
  parse(
    text,
    file,
    (value) =>
      isRecord(value) &&
      value.version === 1 &&
      isRecord(value.arch) &&
      Object.values(value.arch).every((one) => isRecord(one) && isBlob(one.index) && Number.isInteger(one.inputs)),
  ) as MirrorNote

/** Parses an index whose digest was right; anything else is `MIRROR_INVALID`. */
export const parseMirrorIndex = (text: string, file: string): MirrorIndex =>
  parse(
    text,
    file,
    (value) =>
      isRecord(value) &&
      Object.values(value).every(
        (one) =>
          isRecord(one) &&
          (one.blob === undefined || isBlob(one.blob)) &&
          (one.tree === undefined || (isRecord(one.tree) && isBlob(one.tree.blob))),
      ),
  ) as MirrorIndex
