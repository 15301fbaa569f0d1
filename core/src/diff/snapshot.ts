// One side of a comparison: a kept build, an output folder, an image, or a lock.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ExitCode, ZosError } from '../error.js'
import { readCpio, readCpioTree } from '../format/cpio-read.js'
import { decompress } from '../format/decompress.js'
import { hashed } from '../format/hashed.js'
import { readManifest } from '../io/output-folder.js'
import type { ManifestOutput } from '../model/manifest.js'
import type { KeptBuild } from '../model/past-build.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { archiveIn } from './image-archive.js'
import { keptWords } from './keep-build.js'
import { databases, installedPackages } from './packages.js'

export interface Snapshot {
  /** How people are told which side it is. */
  readonly title: string
  readonly tree?: FileTree
  /** Versions by name; the names are those of the source, so that only equal kinds are compared. */
  readonly packages?: Readonly<Record<string, string>>
  readonly outputs?: readonly ManifestOutput[]
  /** What an archive has besides its records, by name: two archives of equal records may still differ in bytes. */
  readonly archive?: Readonly<Record<string, string>>
  /** Pins of the lock, as plain data. */
  readonly lock?: unknown
  /** Texts of components' small files by name. */
  readonly files?: ReadonlyMap<string, string>
  /** Content of a small file of the tree, where it is at hand. */
  text(path: string, sha256: string): string | undefined
}

const wrong = (name: string, what: string): ZosError =>
  new ZosError('DIFF_WHAT', `${name}: ${what}`, {
    hint: [
      '@1 is the build before the last, @0 the last; or name an output folder, an image, or a lock',
      'zos diff @1 @0',
    ],
    exit: ExitCode.usage,
  })

export const buildSnapshot = async (store: Store, builds: readonly KeptBuild[], name: string): Promise<Snapshot> => {
  const build = builds[Number(name.slice(1))]
  if (!build) throw wrong(name, keptWords(builds.length))
  const texts = Object.entries(build.files).flatMap(([file, { sha256 }]): [string, string][] => {
    const text = store.blobs.textOf(sha256)
    return text === undefined ? [] : [[file, text]]
  })
  return {
    title: `${name} (${new Date(build.at).toISOString().slice(0, 16).replace('T', ' ')} UTC)`,
    tree: FileTree.decode(await store.blobs.read(build.tree.blob)),
    packages: build.packages,
    outputs: build.manifest.outputs,
    lock: JSON.parse(store.blobs.textOf(build.lock.sha256) ?? 'null'),
    files: new Map(texts),
    text: (_path, sha256) => store.blobs.textOf(sha256),
  }
}

/** Files whose text is kept of an image. Bytes each. */
const largestText = 1 << 20
const isTold = (path: string): boolean =>
  path.startsWith('/etc/') || path.startsWith('/boot/config') || (databases as readonly string[]).includes(path)

export const imageSnapshot = async (file: string, shown: string): Promise<Snapshot> => {
  const { start, end, compression } = await archiveIn(file, (what) => wrong(shown, what))
  const plain = (): AsyncIterable<Uint8Array> =>
    decompress(createReadStream(file, { start, end: end - 1, highWaterMark: 1 << 20 }), compression, { name: shown })
  const texts = new Map<string, string>()
  const hash = createHash('sha256')
  let newest = 0
  for await (const { name, header, content } of readCpio(hashed(plain(), hash), { name: shown })) {
    newest = Math.max(newest, header.mtime)
    const path = `/${name.replace(/^\.?\/*/, '')}`
    if ((header.mode & 0o170000) === 0o100000 && content.size <= largestText && isTold(path))
      texts.set(path, Buffer.from(await content.bytes()).toString('utf8'))
  }
  const tree = FileTree.from(await readCpioTree(plain(), { name: shown }))
  const installed = databases.map((path) => (texts.has(path) ? installedPackages(path, texts.get(path)!) : {}))
  return {
    title: shown,
    tree,
    archive: {
      'unpacked archive': hash.digest('hex'),
      'newest time in the archive': new Date(newest * 1000).toISOString().replace('.000Z', 'Z'),
    },
    packages: Object.assign({}, ...installed),
    files: new Map([...texts].filter(([path]) => path.startsWith('/boot/config'))),
    text: (path) => texts.get(path),
  }
}

const lockSnapshot = (file: string, shown: string): Snapshot | undefined => {
  if (!/\.(lock|json)$/.test(file)) return undefined
  try {
    const data = JSON.parse(readFileSync(file, 'utf8')) as { arch?: unknown; version?: unknown }
    return typeof data.arch === 'object' && data.version !== undefined
      ? { title: shown, lock: data, text: () => undefined }
      : undefined
  } catch {
    return undefined
  }
}

/** Packages of a bill of materials. */
const billedPackages = (file: string): Record<string, string> | undefined => {
  try {
    const { packages } = JSON.parse(readFileSync(file, 'utf8')) as {
      packages: { versionInfo?: string; externalRefs?: { referenceLocator: string }[] }[]
    }
    return Object.fromEntries(
      packages.flatMap(({ versionInfo = '', externalRefs }): [string, string][] =>
        externalRefs?.[0]
          ? [[externalRefs[0].referenceLocator.replace(/@[^?#]*/, '').replace(/^pkg:/, ''), versionInfo]]
          : [],
      ),
    )
  } catch {
    return undefined
  }
}

/** A side that a path names. */
export const pathSnapshot = async (cwd: string, name: string): Promise<Snapshot> => {
  const path = resolve(cwd, name)
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) throw wrong(name, 'no such file or folder')
  if (!found.isDirectory()) return lockSnapshot(path, name) ?? imageSnapshot(path, name)
  const manifest = readManifest(path)
  if (!manifest) throw wrong(name, 'a folder without a manifest.json')
  const archive = manifest.outputs.find(({ format }) => format === 'initramfs')
  const image = archive ? await imageSnapshot(join(path, archive.name), join(name, archive.name)) : undefined
  const packages = billedPackages(join(path, 'sbom.spdx.json')) ?? image?.packages
  return { text: () => undefined, ...image, title: name, outputs: manifest.outputs, ...(packages && { packages }) }
}
