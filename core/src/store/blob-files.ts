// Content-addressed files: written to a temporary name, hashed on the way, renamed. A name stands for its content.
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { chmod, copyFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExitCode, isZosError, ZosError } from '../error.js'
import type { Blobs } from '../model/blobs.js'
import { sha256 } from '../model/canonical.js'
import type { Blob } from '../model/entry.js'

const storeError = (folder: string, cause: unknown): ZosError => {
  if (isZosError(cause)) return cause
  const code = (cause as NodeJS.ErrnoException).code
  const words =
    code === 'ENOSPC' ? 'the disk is full' : code === 'EROFS' || code === 'EACCES' ? 'it is not writable' : ''
  return new ZosError('STORE_WRITE', `the store ${folder} cannot take a file: ${words || (cause as Error).message}`, {
    hint: 'make room, or name another folder with ZOS_STORE',
    exit: ExitCode.store,
    cause,
  })
}

const digestOfFile = (path: string): string => {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(1 << 20)
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      hash.update(buffer.subarray(0, read))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

export class BlobFiles implements Blobs {
  readonly #folder: string
  readonly #incoming: string
  /** Digests known to be there, so that a build asks the disk once. */
  readonly #present = new Set<string>()
  /** Digests whose files this process has marked as used. */
  readonly #renewed = new Set<string>()
  #isStrict = false

  /** `incoming` is where files grow; on the same file system as `folder`. */
  constructor(folder: string, incoming: string) {
    this.#folder = folder
    this.#incoming = incoming
  }

  /** Where a blob lies, or would. */
  path({ sha256: digest }: Blob): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new ZosError('BLOB_DIGEST', `${JSON.stringify(digest)} is not a SHA-256`)
    return join(this.#folder, digest.slice(0, 2), digest)
  }

  /** There, and of the right size; once damage was found, also with the right digest. */
  has(blob: Blob): boolean {
    if (this.#present.has(blob.sha256)) return true
    const path = this.path(blob)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.size !== blob.size) return false
    if (this.#isStrict && digestOfFile(path) !== blob.sha256) {
      rmSync(path, { force: true })
      return false
    }
    this.#present.add(blob.sha256)
    return true
  }

  /** Whether it is there; if so it counts as new, since a row that names it may come only after a sweep has begun. */
  #renew(blob: Blob): boolean {
    if (!this.has(blob)) return false
    if (this.#renewed.has(blob.sha256)) return true
    const now = new Date()
    try {
      utimesSync(this.path(blob), now, now)
    } catch {
      // A sweep took it between the two looks: it is put once more. A store of another user has no such sweeps.
      if (statSync(this.path(blob), { throwIfNoEntry: false })) return true
      this.#present.delete(blob.sha256)
      return false
    }
    this.#renewed.add(blob.sha256)
    return true
  }

  /** The first bytes as text: what kind of content it is. */
  headOf(digest: string): string {
    try {
      const file = openSync(this.path({ sha256: digest, size: 0 }), 'r')
      try {
        const bytes = Buffer.alloc(32)
        return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0))
      } finally {
        closeSync(file)
      }
    } catch {
      return ''
    }
  }

  #missing(blob: Blob, cause?: unknown): ZosError {
    this.#present.delete(blob.sha256)
    return new ZosError('BLOB_MISSING', `the store has no content ${blob.sha256} of ${blob.size} bytes`, {
      hint: 'build again: what gave it runs again',
      exit: ExitCode.store,
      data: { blob },
      cause,
    })
  }

  /** From now on nothing counts as there before its digest has been computed: damage was found. */
  distrust(): void {
    this.#present.clear()
    this.#isStrict = true
  }

  /** Compares the digest that a blob turned out to have. One that is not what its name says is removed: what gave it runs again. */
  check(blob: Blob, digest: string): void {
    if (digest === blob.sha256) return
    const path = this.path(blob)
    rmSync(path, { force: true })
    this.#present.delete(blob.sha256)
    throw new ZosError('BLOB_MISSING', `${path} has the SHA-256 ${digest}, expected ${blob.sha256}; it is removed`, {
      hint: 'build again: what gave it runs again; check the disk if this comes back',
      exit: ExitCode.store,
      data: { blob, digest },
    })
  }

  async read(blob: Blob): Promise<Uint8Array> {
    const bytes = await readFile(this.path(blob)).catch((cause) => {
      throw this.#missing(blob, cause)
    })
    if (bytes.length !== blob.size) throw this.#missing(blob)
    this.check(blob, sha256(bytes))
    return bytes
  }

  async *stream(blob: Blob): AsyncIterable<Uint8Array> {
    if (!this.has(blob)) throw this.#missing(blob)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(this.path(blob), { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Uint8Array)
      yield chunk as Uint8Array
    }
    this.check(blob, hash.digest('hex'))
  }

  /** The text of small content that may be there; nothing is promised of it, and it is for people alone. */
  textOf(digest: string): string | undefined {
    try {
      return readFileSync(this.path({ sha256: digest, size: 0 }), 'utf8')
    } catch {
      return undefined
    }
  }

  async put(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<Blob> {
    try {
      if (typeof content === 'string') return await this.#putBytes(Buffer.from(content))
      if (content instanceof Uint8Array) return await this.#putBytes(content)
      return await this.#putStream(content)
    } catch (cause) {
      throw storeError(this.#folder, cause)
    }
  }

  async #putBytes(bytes: Uint8Array): Promise<Blob> {
    const blob = { sha256: sha256(bytes), size: bytes.length }
    if (this.#renew(blob)) return blob
    const temporary = this.temporary()
    await writeFile(temporary, bytes, { flag: 'wx', mode: 0o444 })
    return this.#accept(temporary, blob)
  }

  async #putStream(chunks: AsyncIterable<Uint8Array>): Promise<Blob> {
    const temporary = this.temporary()
    const hash = createHash('sha256')
    let size = 0
    const file = await open(temporary, 'wx', 0o444)
    try {
      for await (const chunk of chunks) {
        hash.update(chunk)
        size += chunk.length
        await file.write(chunk)
      }
    } catch (cause) {
      await file.close()
      await rm(temporary, { force: true })
      throw cause
    }
    await file.close()
    return this.#accept(temporary, { sha256: hash.digest('hex'), size })
  }

  /** A name for a file that is on its way into the store. */
  temporary(): string {
    return join(this.#incoming, randomBytes(12).toString('hex'))
  }

  /** Takes over a finished file whose digest the caller has computed while writing it. */
  async adopt(path: string, blob: Blob): Promise<Blob> {
    await chmod(path, 0o444)
    return this.#accept(path, blob)
  }

  async #accept(temporary: string, blob: Blob): Promise<Blob> {
    if (this.#renew(blob)) {
      await rm(temporary, { force: true })
      return blob
    }
    const target = this.path(blob)
    await rename(temporary, target).catch(async (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause
      mkdirSync(join(this.#folder, blob.sha256.slice(0, 2)), { recursive: true })
      await rename(temporary, target)
    })
    this.#present.add(blob.sha256)
    return blob
  }

  /** Copies a blob to a file by copy or reflink, never by hard link; the copy is read back and its digest checked. */
  async copyTo(blob: Blob, path: string, mode: number): Promise<void> {
    await mkdir(join(path, '..'), { recursive: true })
    await copyFile(this.path(blob), path, constants.COPYFILE_FICLONE).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOENT' ? this.#missing(blob, cause) : cause
    })
    await chmod(path, mode)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array)
    this.check(blob, hash.digest('hex'))
  }
}
