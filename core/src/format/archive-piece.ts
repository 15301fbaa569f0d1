import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { ZosError } from '../error.js'
import type { BlobReader } from '../model/blobs.js'
import type { Blob } from '../model/entry.js'

/**
 * The part of an archive that one record makes: its `head` (headers, name, a link's target, their padding), then the
 * blob's bytes if there is one, then `padding` zero bytes. `size` is all of it. An archive is its pieces, end to end.
 */
export interface ArchivePiece {
  /** The record's path; the end of the archive has the name that its format gives it, without a leading `/`. */
  readonly path: string
  readonly head: Uint8Array
  readonly blob?: Blob
  readonly padding: number
  readonly size: number
}

export const archivePiece = (path: string, head: Uint8Array, alignment: number, blob?: Blob): ArchivePiece => {
  const unpadded = head.length + (blob?.size ?? 0)
  const padding = (alignment - (unpadded % alignment)) % alignment
  return { path, head, padding, size: unpadded + padding, ...(blob && { blob }) }
}

/** Blobs up to here are read whole and ahead of their turn; larger ones are streamed. */
const smallBytes = 256 * 1024
const ahead = { pieces: 32, bytes: 4 * 1024 ** 2 }
const outputBytes = 256 * 1024

/**
 * The bytes of pieces, in chunks of about 256 KiB. Content whose digest is not the blob's is `BLOB_CORRUPT`: nothing
 * damaged enters an output.
 */
export async function* writePieces(
  pieces: Iterable<ArchivePiece>,
  blobs: BlobReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = []
  let held = 0
  const take = (bytes: Uint8Array): boolean => {
    if (bytes.length > 0) parts.push(bytes)
    held += bytes.length
    return held >= outputBytes
  }
  const joined = (): Uint8Array => {
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, held)
    parts = []
    held = 0
    return bytes
  }
  for await (const { piece, content } of readAhead(pieces, blobs)) {
    if (take(piece.head)) yield joined()
    if (piece.blob && content) {
      if (take(verified(piece, content))) yield joined()
    } else if (piece.blob) {
      for await (const bytes of verifiedStream(piece, piece.blob, blobs)) if (take(bytes)) yield joined()
    }
    if (take(zeros.subarray(0, piece.padding))) yield joined()
  }
  if (held > 0) yield joined()
}

const zeros = new Uint8Array(512)

interface Ready {
  readonly piece: ArchivePiece
  /** `undefined` for pieces without a blob and for those to stream. */
  readonly content: Uint8Array | undefined
}

/** The pieces in order, the small blobs of those to come already being read. */
async function* readAhead(pieces: Iterable<ArchivePiece>, blobs: BlobReader): AsyncGenerator<Ready, void, undefined> {
  const queue: { piece: ArchivePiece; reading: Promise<Uint8Array> | undefined }[] = []
  let bytes = 0
  const source = pieces[Symbol.iterator]()
  let next = source.next()
  for (;;) {
    while (!next.done && queue.length < ahead.pieces && bytes < ahead.bytes) {
      const piece = next.value
      const reading = piece.blob && piece.blob.size <= smallBytes ? blobs.read(piece.blob) : undefined
      // A failure is thrown when its turn comes; until then it must not count as unhandled.
      reading?.catch(() => undefined)
      if (reading) bytes += piece.size
      queue.push({ piece, reading })
      next = source.next()
    }
    const first = queue.shift()
    if (!first) return
    const content = first.reading && (await first.reading)
    if (first.reading) bytes -= first.piece.size
    yield { piece: first.piece, content }
  }
}

const verified = (piece: ArchivePiece, content: Uint8Array): Uint8Array => {
  check(piece, createHash('sha256').update(content).digest('hex'), content.length)
  return content
}

async function* verifiedStream(piece: ArchivePiece, blob: Blob, blobs: BlobReader): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let size = 0
  for await (const bytes of blobs.stream(blob)) {
    hash.update(bytes)
    size += bytes.length
    if (size > blob.size) break
    yield bytes
  }
  check(piece, hash.digest('hex'), size)
}

const check = ({ path, blob }: ArchivePiece, sha256: string, size: number): void => {
  if (sha256 === blob?.sha256 && size === blob.size) return
  throw new ZosError(
    'BLOB_CORRUPT',
    `the content of ${path} is not what was stored: found ${sha256} (${size} bytes), expected ${blob?.sha256} (${blob?.size} bytes)`,
    { hint: 'the store is damaged there; a build with --clean fetches and builds anew' },
  )
}
