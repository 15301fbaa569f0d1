import { createHash } from 'node:crypto'
import { ZosError } from '../error.js'
import type { Blob, TreeRecord } from '../model/entry.js'
import { quote } from '../model/tree-path.js'
import { type ArchiveLimits, archiveLimits } from './archive-limits.js'
import { decodeUtf8, treePath } from './archive-path.js'
import { ByteReader, MemberContent } from './byte-reader.js'
import {
  type CpioHeader,
  cpioHeaderBytes,
  cpioNameBytes,
  cpioPadding,
  cpioTrailer,
  cpioTypes,
  parseCpioHeader,
} from './cpio-header.js'

export interface CpioReadOptions {
  /** How errors name the archive. */
  readonly name?: string
  readonly limits?: Partial<ArchiveLimits>
}

export interface CpioEntry {
  readonly header: CpioHeader
  /** As written in the archive. */
  readonly name: string
  /** Where the header starts, in bytes of the plain archive. */
  readonly offset: number
  /** A file's bytes or a link's target; read it before the next entry is asked for, or it is skipped. */
  readonly content: MemberContent
}

type Fail = (code: string, problem: string, hint?: string) => ZosError

/**
 * Reads one plain newc archive as it streams; after its trailer only zeros may follow. Throws `CPIO_MAGIC`,
 * `CPIO_NAME`, `CPIO_PADDING`, `CPIO_TRUNCATED`, `CPIO_AFTER_END`, `CPIO_LIMIT`.
 */
export async function* readCpio(
  chunks: AsyncIterable<Uint8Array>,
  options: CpioReadOptions = {},
): AsyncGenerator<CpioEntry, void, undefined> {
  const archive = options.name ?? 'cpio archive'
  const limits = { ...archiveLimits, ...options.limits }
  const reader = new ByteReader(chunks)
  let entries = 0
  let total = 0
  try {
    for (;;) {
      const offset = reader.offset
      const fail = failure(archive, offset)
      const header = parseCpioHeader(await exactly(reader, cpioHeaderBytes, 'a header or the trailer', fail))
      if ('problem' in header) throw fail('CPIO_MAGIC', header.problem, 'the file is damaged, or still compressed')
      const { namesize, filesize, chksum } = header
      if (namesize < 2 || namesize > cpioNameBytes + 1) {
        throw fail('CPIO_NAME', `a name of ${namesize} bytes; expected 2 to ${cpioNameBytes + 1} with its NUL`)
      }
      const name = nameOf(await exactly(reader, namesize, 'a name', fail), fail)
      await padding(reader, cpioHeaderBytes + namesize, fail)
      if (chksum !== 0) throw fail('CPIO_MAGIC', `entry ${quote(name)}: a checksum; newc has none`)
      if (name === cpioTrailer) {
        if (filesize !== 0) throw fail('CPIO_TRUNCATED', `a trailer of ${filesize} bytes; expected none`)
        await onlyZeros(reader, archive)
        return
      }
      entries += 1
      total += filesize
      if (entries > limits.entries) throw fail('CPIO_LIMIT', `more than ${limits.entries} entries`)
      if (filesize > limits.fileBytes || total > limits.totalBytes) {
        throw fail('CPIO_LIMIT', `entry ${quote(name)}: ${filesize} bytes, ${total} in all; expected less`)
      }
      const content = new MemberContent(reader, filesize, (missing) =>
        fail('CPIO_TRUNCATED', `entry ${quote(name)}: ${missing} bytes are missing`),
      )
      yield { header, name, offset, content }
      await content.close()
      await padding(reader, filesize, fail)
    }
  } finally {
    await reader.close()
  }
}

/**
 * The records of a plain newc archive in its order, each file with the digest and size of what was read: what is
 * compared with the tree after packing. Hard links get the content that the last of them carries. Beyond what
 * `readCpio` throws: `CPIO_PATH`, `CPIO_TYPE`, `CPIO_LINK`, `CPIO_ORDER`.
 */
export const readCpioTree = async (
  chunks: AsyncIterable<Uint8Array>,
  options: CpioReadOptions = {},
): Promise<TreeRecord[]> => {
  const links = new Map<string, LinkedFile>()
  const records = new Map<string, () => TreeRecord>()
  for await (const { header, name, offset, content } of readCpio(chunks, options)) {
    const where = failure(options.name ?? 'cpio archive', offset)
    const fail: Fail = (code, problem, hint) => where(code, `entry ${quote(name)}: ${problem}`, hint)
    const path = treePath(name)
    if (typeof path !== 'string') throw fail('CPIO_PATH', `has ${path.problem}`)
    if (records.has(path)) throw fail('CPIO_ORDER', 'comes twice')
    const kind = kindOf(header, fail)
    const attributes = { path, mode: header.mode & 0o7777, uid: header.uid, gid: header.gid }
    if (kind === 'file') {
      const blob = await blobOf(content)
      if (header.nlink < 2) {
        records.set(path, () => ({ ...attributes, kind, blob }))
        continue
      }
      const key = `${header.maj}:${header.min}:${header.ino}`
      const file = links.get(key) ?? { paths: [], blob: undefined }
      links.set(key, file)
      if (blob.size > 0 && file.blob) throw fail('CPIO_LINK', 'has content, as another hard link of the same file has')
      if (blob.size > 0) file.blob = blob
      file.paths.push(path)
      records.set(path, () => linkedRecord(attributes, file, blob))
      continue
    }
    if (kind === 'symlink') {
      if (content.size > cpioNameBytes) throw fail('CPIO_LINK', `has a target of ${content.size} bytes; expected less`)
      const target = decodeUtf8(await content.bytes())
      if (!target || target.includes('\0')) throw fail('CPIO_LINK', 'has a target that is no UTF-8 text')
      records.set(path, () => ({ ...attributes, kind, target }))
      continue
    }
    if (content.size !== 0) throw fail('CPIO_TYPE', `has ${content.size} bytes of content; expected none for a ${kind}`)
    const record: TreeRecord =
      kind === 'character' || kind === 'block'
        ? { ...attributes, kind, major: header.rmaj, minor: header.rmin }
        : { ...attributes, kind }
    records.set(path, () => record)
  }
  return [...records.values()].map((finish) => finish())
}

interface LinkedFile {
  readonly paths: string[]
  /** Of the one hard link that carries content. */
  blob: Blob | undefined
}

type Attributes = Pick<TreeRecord, 'path' | 'mode' | 'uid' | 'gid'>

const linkedRecord = (attributes: Attributes, { paths, blob }: LinkedFile, empty: Blob): TreeRecord => {
  const [first] = paths
  const link = paths.length > 1 && first !== undefined ? { link: first } : {}
  return { ...attributes, kind: 'file', blob: blob ?? empty, ...link }
}

const failure =
  (archive: string, offset: number): Fail =>
  (code, problem, hint) =>
    new ZosError(code, `${archive}, byte ${offset}: ${problem}`, hint === undefined ? {} : { hint })

const exactly = async (reader: ByteReader, size: number, what: string, fail: Fail): Promise<Uint8Array> => {
  const bytes = reader.readNow(size) ?? (await reader.read(size))
  if (bytes.length === size) return bytes
  throw fail('CPIO_TRUNCATED', `${what} of ${size} bytes is expected here, the archive has ${bytes.length}`)
}

const padding = async (reader: ByteReader, size: number, fail: Fail): Promise<void> => {
  const bytes = await exactly(reader, cpioPadding(size), 'padding', fail)
  if (bytes.some((byte) => byte !== 0)) throw fail('CPIO_PADDING', 'padding that is not zeros')
}

const onlyZeros = async (reader: ByteReader, archive: string): Promise<void> => {
  for (let bytes = await reader.some(65536); bytes; bytes = await reader.some(65536)) {
    if (bytes.some((byte) => byte !== 0)) {
      throw failure(archive, reader.offset - bytes.length)('CPIO_AFTER_END', 'data after the trailer; expected zeros')
    }
  }
}

const nameOf = (bytes: Uint8Array, fail: Fail): string => {
  const name = bytes.indexOf(0) === bytes.length - 1 ? decodeUtf8(bytes.subarray(0, -1)) : undefined
  if (name === undefined) throw fail('CPIO_NAME', 'a name that is no UTF-8 text ended by one NUL')
  return name
}

const typesByBits = new Map(Object.entries(cpioTypes).map(([kind, bits]) => [bits, kind as keyof typeof cpioTypes]))

const kindOf = ({ mode }: CpioHeader, fail: Fail): TreeRecord['kind'] => {
  const kind = typesByBits.get((mode & 0o170000) as never)
  if (!kind || mode > 0o177777) throw fail('CPIO_TYPE', `has the mode 0${mode.toString(8)}, which is of no known type`)
  return kind
}

const blobOf = async (content: MemberContent): Promise<Blob> => {
  const hash = createHash('sha256')
  for await (const bytes of content) hash.update(bytes)
  return { sha256: hash.digest('hex'), size: content.size }
}
