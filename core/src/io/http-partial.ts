import { createHash, type Hash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../model/canonical.js'
import { isAlive, ownerOf } from '../store/process-owner.js'

/**
 * A file on its way in. At rest it is `KEY.ETAG.part`; whoever works on it owns it by a rename to
 * `KEY.ETAG.OWNER-RANDOM.part`, and what a killed process left is taken over. KEY is the expected digest, or one
 * of the address. ETAG is base64url of the strong entity tag that the bytes belong to; `-` is none, and with an
 * expected digest it is not wanted: bytes of any mirror may be continued, as the digest proves the whole.
 */
export interface Partial {
  readonly path: string
  /** Bytes that are there. */
  readonly size: number
  /** The strong entity tag the bytes belong to. */
  readonly etag: string | undefined
  /** Takes bytes; they are written later, those before them perhaps too. Throws what writing failed with. */
  append(chunk: Uint8Array): Promise<void>
  /** Writes all that was taken. */
  flush(): Promise<void>
  /** Forgets the bytes; those that come belong to `etag`. */
  restart(etag: string | undefined): Promise<void>
  /** SHA-256 of the bytes so far. */
  digest(): string
  /** Ends the work and leaves the bytes for a later run. */
  keep(): Promise<void>
  /** Ends the work and removes what is left. */
  discard(): Promise<void>
}

/** Bytes that are gathered for one write, so that the next ones come in meanwhile: a write a packet is slower than a disk. */
const gathered = 1 << 20

/** A longer tag does not fit into a file name; the bytes are then not resumed by a later run. */
const longestEtag = 64
const name = /^([0-9a-f]{64})\.([\w-]+)(?:\.(\d+:\d+)-[0-9a-f]+)?\.part$/

const encodeTag = (etag: string | undefined): string =>
  etag === undefined || etag.length > longestEtag ? '-' : Buffer.from(etag).toString('base64url')

const decodeTag = (text: string): string | undefined =>
  text === '-' ? undefined : Buffer.from(text, 'base64url').toString()

/** Takes the first file of this key that nobody works on; gives back its tag, or nothing when there is none. */
const claim = async (folder: string, key: string, own: (tag: string) => string): Promise<string | undefined> => {
  for (const file of (await readdir(folder)).sort()) {
    const [, fileKey, tag = '-', owner] = name.exec(file) ?? []
    if (fileKey !== key || (owner !== undefined && isAlive(owner))) continue
    try {
      await rename(join(folder, file), join(folder, own(tag)))
      return tag
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return undefined
}

const hashOf = async (file: FileHandle): Promise<{ hash: Hash; size: number }> => {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1 << 20)
  let size = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size)
    if (bytesRead === 0) return { hash, size }
    hash.update(buffer.subarray(0, bytesRead))
    size += bytesRead
  }
}

/** `digest`: what the whole file is expected to be; without one the bytes belong to the address alone. */
export const openPartial = async (folder: string, digest: string | undefined, url: string): Promise<Partial> => {
  await mkdir(folder, { recursive: true })
  const key = digest ?? sha256(`url ${url}`)
  const owner = `${ownerOf(process.pid)}-${randomBytes(6).toString('hex')}`
  const own = (tag: string): string => `${key}.${tag}.${owner}.part`
  const tagOf = (tag: string | undefined): string => (digest === undefined ? encodeTag(tag) : '-')
  const claimed = await claim(folder, key, own)
  let path = join(folder, own(claimed ?? '-'))
  let etag = claimed === undefined ? undefined : decodeTag(claimed)
  const file = await open(path, claimed === undefined ? 'wx+' : 'r+', 0o644)
  let { hash, size } = await hashOf(file)
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let written = size
  let writing: Promise<void> = Promise.resolve()

  const write = async (): Promise<void> => {
    const bytes = Buffer.concat(waiting, waitingBytes)
    waiting = []
    waitingBytes = 0
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, at, bytes.length - at, written)
      at += bytesWritten
      written += bytesWritten
    }
  }
  /** Begins the next write once the one before has ended. */
  const beginWrite = async (): Promise<void> => {
    await writing
    writing = write()
    // Thrown by the next call; until then it must not count as unhandled.
    writing.catch(() => undefined)
  }
  const flush = async (): Promise<void> => {
    await beginWrite()
    await writing
  }
  const discard = async (): Promise<void> => {
    await writing.catch(() => undefined)
    await file.close()
    await rm(path, { force: true })
  }
  return {
    get path() {
      return path
    },
    get size() {
      return size
    },
    get etag() {
      return etag
    },
    async append(chunk) {
      hash.update(chunk)
      size += chunk.length
      waiting.push(chunk)
      waitingBytes += chunk.length
      if (waitingBytes >= gathered) await beginWrite()
    },
    flush,
    async restart(tag) {
      waiting = []
      waitingBytes = 0
      await writing
      await file.truncate(0)
      size = 0
      written = 0
      hash = createHash('sha256')
      etag = tag
      const next = join(folder, own(tagOf(tag)))
      await rename(path, next)
      path = next
    },
    digest: () => hash.copy().digest('hex'),
    async keep() {
      const tag = tagOf(etag)
      if (size === 0 || (digest === undefined && tag === '-')) return await discard()
      // Where the disk is full, what lies there is still the beginning of the file.
      await flush().catch(() => undefined)
      await file.close()
      await rename(path, join(folder, `${key}.${tag}.part`))
    },
    discard,
  }
}
