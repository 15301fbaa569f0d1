import { Buffer } from 'node:buffer'
import { ZosError } from '../error.js'
import { quote } from '../model/tree-path.js'
import { type ArchiveLimits, archiveLimits } from './archive-limits.js'
import { ByteReader, MemberContent } from './byte-reader.js'
import { type PaxRecords, parsePax } from './pax.js'
import {
  isZeroBlock,
  parseTarHeader,
  type TarExtensions,
  type TarFail,
  type TarHeader,
  tarBlock,
  tarSize,
  tarTypeflag,
  xattrPrefix,
} from './tar-header.js'

export interface TarReadOptions {
  /** How errors name the archive. */
  readonly name?: string
  readonly limits?: Partial<ArchiveLimits>
  /** `marker`: the archive ends in zero blocks. `none`: it may simply stop, as the segments inside an APK do. */
  readonly end?: 'marker' | 'none'
}

export interface TarEntry {
  readonly header: TarHeader
  /** Of files; read it before the next entry is asked for, or it is skipped. */
  readonly content: MemberContent | undefined
}

/** A `TAR_*` error that names the archive and the place in it. */
export const tarFailure =
  (archive: string, offset: number): TarFail =>
  (code, problem, hint) =>
    new ZosError(code, `${archive}, byte ${offset}: ${problem}`, hint === undefined ? {} : { hint })

/**
 * Reads a plain tar archive (ustar, PAX, GNU long names, old v7) as it streams. Throws `TAR_CHECKSUM`, `TAR_TRUNCATED`,
 * `TAR_AFTER_END`, `TAR_PAX`, `TAR_LIMIT` and what `parseTarHeader` throws.
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  options: TarReadOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const { name = 'tar archive', end = 'marker' } = options
  const limits = { ...archiveLimits, ...options.limits }
  const reader = new ByteReader(chunks)
  const extensions = new Extensions(limits)
  let entries = 0
  let total = 0
  try {
    for (;;) {
      const offset = reader.offset
      const fail = tarFailure(name, offset)
      const block = reader.readNow(tarBlock) ?? (await reader.read(tarBlock))
      if (block.length < tarBlock) {
        if (block.length === 0 && end === 'none' && !extensions.pending) return
        const found = block.length === 0 ? 'the archive ends here' : `only ${block.length} bytes are left`
        throw fail('TAR_TRUNCATED', `${found}; expected a header or the end marker`, truncatedHint)
      }
      if (isZeroBlock(block)) {
        if (extensions.pending) throw fail('TAR_TRUNCATED', 'an extended header without the entry it is for')
        await onlyZeros(reader, name)
        return
      }
      const flag = tarTypeflag(block, fail)
      if (isExtension(flag)) {
        const size = tarSize(block, fail)
        extensions.reserve(flag, size, fail)
        const content = await reader.read(size)
        if (content.length < size) throw truncated(name, reader, 'an extended header')(size - content.length)
        extensions.add(flag, content, fail)
        await skip(reader, size, name)
        continue
      }
      const header = parseTarHeader(block, offset, extensions.take(), fail)
      const entry = quote(header.path)
      entries += 1
      total += header.size
      const exceeded = limitProblem(header, entries, total, limits)
      if (exceeded) throw fail('TAR_LIMIT', `entry ${entry}: ${exceeded}`)
      if (header.kind !== 'file') {
        yield { header, content: undefined }
        continue
      }
      const content = new MemberContent(reader, header.size, truncated(name, reader, `entry ${entry}`))
      yield { header, content }
      await content.close()
      await skip(reader, header.size, name)
    }
  } finally {
    await reader.close()
  }
}

const truncatedHint = 'the file was cut off: fetch it again'

const isExtension = (flag: string): boolean => flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K'

const limitProblem = (header: TarHeader, entries: number, total: number, limits: ArchiveLimits): string | undefined => {
  if (entries > limits.entries) return `more than ${limits.entries} entries`
  if (header.size > limits.fileBytes) return `${header.size} bytes; expected at most ${limits.fileBytes} a file`
  if (total > limits.totalBytes) return `${total} bytes with those before it; expected at most ${limits.totalBytes}`
  const longest = Math.max(Buffer.byteLength(header.path), Buffer.byteLength(header.linkpath))
  return longest > limits.pathBytes ? `a path of ${longest} bytes; expected at most ${limits.pathBytes}` : undefined
}

const truncated = (name: string, reader: ByteReader, what: string) => (missing: number) =>
  tarFailure(name, reader.offset)('TAR_TRUNCATED', `${what}: ${missing} bytes are missing`, truncatedHint)

const skip = async (reader: ByteReader, size: number, name: string): Promise<void> => {
  const padding = (tarBlock - (size % tarBlock)) % tarBlock
  const bytes = reader.readNow(padding) ?? (await reader.read(padding))
  if (bytes.length < padding) throw truncated(name, reader, 'padding')(padding - bytes.length)
}

/** After the end marker only its padding may follow; another archive behind it would be lost silently. */
const onlyZeros = async (reader: ByteReader, name: string): Promise<void> => {
  for (let bytes = await reader.some(65536); bytes; bytes = await reader.some(65536)) {
    if (!isZeroBlock(bytes)) {
      throw tarFailure(name, reader.offset - bytes.length)('TAR_AFTER_END', 'data after the end marker; expected zeros')
    }
  }
}

/** The extended headers that wait for their entry, and the global ones. */
class Extensions {
  readonly #limits: ArchiveLimits
  #global: PaxRecords = new Map()
  #local: PaxRecords | undefined
  #longName: Uint8Array | undefined
  #longLink: Uint8Array | undefined
  #pendingBytes = 0
  #globalBytes = 0

  constructor(limits: ArchiveLimits) {
    this.#limits = limits
  }

  get pending(): boolean {
    return this.#pendingBytes > 0
  }

  /** Counts before anything is read: throws `TAR_LIMIT`. */
  reserve(flag: string, size: number, fail: TarFail): void {
    if (flag === 'g') this.#globalBytes += size
    else this.#pendingBytes += size + tarBlock
    const bytes = Math.max(this.#globalBytes, this.#pendingBytes)
    const most = this.#limits.headerBytes
    if (bytes > most) throw fail('TAR_LIMIT', `extended headers of ${bytes} bytes; expected at most ${most}`)
  }

  add(flag: string, content: Uint8Array, fail: TarFail): void {
    if (flag === 'L') this.#longName = withoutNul(content)
    else if (flag === 'K') this.#longLink = withoutNul(content)
    else {
      const records = parsePax(content)
      if ('problem' in records) throw fail('TAR_PAX', `the extended header has ${records.problem}`)
      if (flag === 'g') this.#global = merged(this.#global, records)
      else this.#local = records
    }
  }

  take(): TarExtensions {
    const pax = this.#local ? merged(this.#global, this.#local) : this.#global
    const taken = { pax, longName: this.#longName, longLink: this.#longLink }
    this.#local = this.#longName = this.#longLink = undefined
    this.#pendingBytes = 0
    return taken
  }
}

/** GNU ends its long names with a NUL. */
const withoutNul = (bytes: Uint8Array): Uint8Array => (bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes)

/** An empty value takes a keyword back, but an extended attribute may well be empty, as GNU tar has it. */
const merged = (below: PaxRecords, above: PaxRecords): PaxRecords => {
  const records = new Map([...below, ...above])
  for (const [keyword, value] of above) {
    if (value.length === 0 && !keyword.startsWith(xattrPrefix)) records.delete(keyword)
  }
  return records
}
