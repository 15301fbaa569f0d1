import { type Blob, type BlobReader, sha256, type TreeRecord } from '@zos/core'
import { compressGzip, writeTar } from '@zos/core/format'

/** A file of a small segment. */
export interface SegmentFile {
  readonly name: string
  readonly content: string | Uint8Array
  /** 0644 unless told. */
  readonly mode?: number
}

/** Contents that lie in memory. */
export class HeldBlobs implements BlobReader {
  readonly #contents = new Map<string, Uint8Array>()

  hold(content: string | Uint8Array): Blob {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const digest = sha256(bytes)
    this.#contents.set(digest, bytes)
    return { sha256: digest, size: bytes.length }
  }

  async read({ sha256: digest }: Blob): Promise<Uint8Array> {
    const bytes = this.#contents.get(digest)
    if (!bytes) throw new RangeError(`the content ${digest} is not here`)
    return bytes
  }

  async *stream(blob: Blob): AsyncGenerator<Uint8Array> {
    yield await this.read(blob)
  }
}

/** Level of gzip -9: what abuild takes for packages and indexes. */
const usualLevel = 9

/** A tar segment as one gzip member. Only the last segment of a file ends with tar's zero blocks. */
export const segment = async (
  records: Iterable<TreeRecord>,
  blobs: BlobReader,
  { level = usualLevel, ...options }: Parameters<typeof writeTar>[2] & { readonly level?: number },
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const part of compressGzip(writeTar(records, blobs, options), { level })) parts.push(part)
  return Buffer.concat(parts)
}

/** A segment of a few files, owned by root. */
export const filesSegment = (
  files: readonly SegmentFile[],
  options: Parameters<typeof writeTar>[2],
): Promise<Uint8Array> => {
  const held = new HeldBlobs()
  const records = files.map(({ name, content, mode = 0o644 }): TreeRecord => {
    return { path: `/${name}`, kind: 'file', mode, uid: 0, gid: 0, blob: held.hold(content) }
  })
  return segment(records, held, options)
}
