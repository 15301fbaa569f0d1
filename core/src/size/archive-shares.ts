// Which files the bytes of a compressed archive belong to.
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { archiveIn } from '../diff/image-archive.js'
import { ZosError } from '../error.js'
import { readCpio } from '../format/cpio-read.js'
import { decompress } from '../format/decompress.js'
import { packedBefore, packedPositions } from '../format/packed-positions.js'

/** What one record of the archive takes: bytes of the compressed archive, and plain ones, header and padding included. */
export interface FileShare {
  readonly path: string
  readonly packed: number
  readonly plain: number
}

/** The archive whole. The shares of all files add up to `packed`, its trailer with the last. */
export interface ArchiveShares {
  readonly packed: number
  readonly plain: number
  readonly files: readonly FileShare[]
}

/** An archive that is held in memory, at the most. Bytes. */
const largest = 2 ** 31 - 1

const bytesAt = async (file: string, start: number, end: number): Promise<Uint8Array> => {
  const handle = await open(file)
  try {
    const bytes = Buffer.alloc(end - start)
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
      if (bytesRead === 0) break
      at += bytesRead
    }
    return bytes
  } finally {
    await handle.close()
  }
}

/** Reads an archive, or the one in a unified kernel image. `shown` is how errors name the file. */
export const archiveShares = async (file: string, shown: string): Promise<ArchiveShares> => {
  const wrong = (what: string): ZosError => new ZosError('SIZE_WHAT', `${shown}: ${what}`)
  const { start, end, compression } = await archiveIn(file, wrong)
  if (end - start > largest) throw wrong(`an archive of ${end - start} bytes; expected less than 2 GiB`)
  const positions =
    compression === 'none' ? undefined : await packedPositions(await bytesAt(file, start, end), compression)
  const size = end - start
  const before = positions ? packedBefore(positions, size) : (plain: number): number => plain
  const stream = createReadStream(file, { start, end: end - 1, highWaterMark: 1 << 20 })
  const starts: { path: string; at: number }[] = []
  let plain = 0
  const counted = async function* () {
    for await (const chunk of decompress(stream, compression, { name: shown })) {
      plain += chunk.length
      yield chunk
    }
  }
  for await (const { name, offset } of readCpio(counted(), { name: shown }))
    starts.push({ path: `/${name.replace(/^\.?\/*/, '')}`, at: offset })
  let from = 0
  const files = starts.map(({ path, at }, index): FileShare => {
    const next = starts[index + 1]?.at ?? plain
    const to = index === starts.length - 1 ? size : before(next)
    const share = { path, packed: to - from, plain: next - at }
    from = to
    return share
  })
  return { packed: size, plain, files }
}
