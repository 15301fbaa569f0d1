// The project's files, read once and remembered by stamp, so that a warm build hashes nothing.
import { lstatSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, normalize, relative, sep } from 'node:path'
import type { ProjectReader } from '../context.js'
import { ExitCode, ZosError } from '../error.js'
import { sha256 } from '../model/canonical.js'
import type { Blob, TreeRecord } from '../model/entry.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { readFolder } from './folder-read.js'
import { ignoreRules } from './gitignore.js'
import { stampOf } from './stamp.js'

/** Files younger than this when hashed may change again within one tick of the file system's clock (git's racy rule). Nanoseconds. */
const racy = 2_000_000_000n

/** Digests of host files, remembered by device, inode, size, mtime and ctime. */
export class FileDigests {
  readonly #store: Store
  readonly #now: () => number
  /** Files looked at in this process, with their stamps: what an up-to-date build depends on. */
  readonly seen = new Map<string, string>()

  /** Notes a file or folder that decides something by being as it is, without hashing it. */
  watch(path: string): void {
    if (!this.seen.has(path)) this.seen.set(path, stampOf(path)?.text ?? '')
  }

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** The digest of a file that has not changed since it was hashed, without reading it. */
  known(path: string): Blob | undefined {
    const stamp = stampOf(path)
    return stamp?.isFile ? this.#store.fileDigest(path, stamp.text) : undefined
  }

  /** SHA-256 and size of a file by absolute path; `undefined` where it is missing or no regular file. */
  async digest(path: string): Promise<Blob | undefined> {
    const stamp = stampOf(path)
    this.seen.set(path, stamp?.text ?? '')
    if (!stamp?.isFile) return undefined
    const known = this.#store.fileDigest(path, stamp.text)
    if (known) return known
    const bytes = await readFile(path)
    const blob = { sha256: sha256(bytes), size: bytes.length }
    const age = BigInt(this.#now()) * 1_000_000n - stamp.changed
    if (age > racy) this.#store.setFileDigest(path, stamp.text, blob)
    return blob
  }
}

/** A path of the project as the store of reads names it: relative, normal form; one that leaves the project is an error. */
export const projectPath = (root: string, path: string): string => {
  const normal = relative(root, isAbsolute(path) ? path : join(root, path))
  if (normal === '' || normal.startsWith(`..${sep}`) || normal === '..')
    throw new ZosError('PROJECT_PATH', `${path} is not inside the project ${root}`, { exit: ExitCode.config })
  return normalize(normal)
}

/** Stands for the content of files that are only looked for by name. */
const noContent: Blob = { sha256: sha256(''), size: 0 }

const missing = (path: string, root: string): ZosError =>
  new ZosError('FILE_MISSING', `${path}: no such file in ${root}`, {
    hint: 'paths in options are relative to the project root',
    exit: ExitCode.config,
  })

const literalPrefix = (pattern: string): string => {
  const parts = pattern.split('/')
  const magic = parts.findIndex((part) => /[*?{[]/.test(part))
  return parts.slice(0, magic < 0 ? parts.length - 1 : magic).join('/')
}

export class Project implements ProjectReader {
  readonly root: string
  readonly #digests: FileDigests
  readonly #store: Store
  readonly #env: Readonly<Record<string, string | undefined>>
  /** Variables that taps looked at. */
  readonly variables = new Set<string>()
  readonly #trees = new Map<string, Promise<FileTree>>()

  constructor(root: string, digests: FileDigests, store: Store, env: Readonly<Record<string, string | undefined>>) {
    this.root = root
    this.#digests = digests
    this.#store = store
    this.#env = env
  }

  /** Digest of a file, or `missing`: what a recorded read of it saw. */
  async see(path: string): Promise<string> {
    return (await this.#digests.digest(join(this.root, projectPath(this.root, path))))?.sha256 ?? 'missing'
  }

  async bytes(path: string): Promise<Uint8Array> {
    const file = join(this.root, projectPath(this.root, path))
    this.#digests.watch(file)
    return readFile(file).catch(() => {
      throw missing(path, this.root)
    })
  }

  async text(path: string): Promise<string> {
    return Buffer.from(await this.bytes(path)).toString('utf8')
  }

  async glob(pattern: string): Promise<readonly string[]> {
    const prefix = literalPrefix(pattern)
    const found: TreeRecord[] = []
    const ignore = this.#ignoreRules()
    const visit = (folder: string): void => {
      this.#digests.watch(join(this.root, folder))
      let names: string[]
      try {
        names = readdirSync(join(this.root, folder))
      } catch {
        return
      }
      for (const name of names) {
        const path = folder ? `${folder}/${name}` : name
        const isFolder = lstatSync(join(this.root, path)).isDirectory()
        if (ignore(path, isFolder)) continue
        if (isFolder) visit(path)
        else found.push({ path: `/${path}`, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: noContent })
      }
    }
    visit(prefix === '' ? '' : projectPath(this.root, prefix))
    return FileTree.from(found)
      .glob(`/${pattern}`)
      .filter(({ kind }) => kind === 'file')
      .map(({ path }) => path.slice(1))
      .sort()
  }

  #ignoreRules(): ReturnType<typeof ignoreRules> {
    return ignoreRules(this.root, (file) => this.#digests.watch(file))
  }

  folder(path: string): Promise<FileTree> {
    const normal = projectPath(this.root, path)
    let tree = this.#trees.get(normal)
    if (!tree) {
      const ignore = this.#ignoreRules()
      this.#digests.watch(join(this.root, normal))
      tree = readFolder(join(this.root, normal), this.#store.blobs, {
        ignore: (inner, isFolder) => {
          if (ignore(`${normal}/${inner}`, isFolder)) return true
          if (isFolder) this.#digests.watch(join(this.root, normal, inner))
          return false
        },
        owner: { uid: 0, gid: 0 },
        modes: 'git',
        known: async (file) => {
          const blob = this.#digests.known(file)
          return blob && this.#store.blobs.has(blob) ? blob : undefined
        },
      }).then(
        async (records) => {
          // Hashes are remembered for the next build; what was just read is in the disk's cache.
          for (const record of records)
            if (record.kind === 'file') await this.#digests.digest(join(this.root, normal, record.path))
          return FileTree.from(records)
        },
        (cause: NodeJS.ErrnoException) => {
          throw cause.code === 'ENOENT' ? missing(path, this.root) : cause
        },
      )
      this.#trees.set(normal, tree)
    }
    return tree
  }

  /** Forgets the trees that were read: content of theirs has left the store. */
  forget(): void {
    this.#trees.clear()
  }

  env(name: string): string | undefined {
    this.variables.add(name)
    return this.#env[name]
  }
}
