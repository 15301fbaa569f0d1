import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type Action,
  type ActionResult,
  type Artifact,
  type Blob,
  DeltaBuilder,
  FileTree,
  type PackContext,
  type Ref,
  type TreeRecord,
  type TreeView,
  type WishToken,
} from '@zos/core'
import { MemoryBlobs } from '@zos/core/testing'

export { MemoryBlobs }

export interface FakeInput {
  readonly blobs: MemoryBlobs
  /** Artifacts by `<plugin>/<component>`. */
  readonly artifacts?: Record<string, Artifact>
  readonly files?: Record<string, string>
  /** Settled wishes by the token's name. */
  readonly settled?: Record<string, unknown>
  readonly root?: FileTree
  readonly outputs?: Record<string, Blob>
  /** Runs argv in a folder. */
  readonly exec?: (command: readonly string[], cwd: string) => void
}

/** As much of a context as the plugin's taps use. */
export const fakeContext = (input: FakeInput): PackContext & { readonly actions: Action[] } => {
  const { blobs, artifacts = {}, files = {}, settled = {}, root = FileTree.empty, outputs = {}, exec } = input
  const artifact = async ({ plugin, component }: Ref): Promise<Artifact> => artifacts[`${plugin}/${component}`]!
  const actions: Action[] = []
  const context = {
    arch: 'x86_64',
    blobs,
    actions,
    root: fakeTree(root, blobs),
    progress: () => undefined,
    package: () => undefined,
    project: { text: async (path: string) => files[path]! },
    settled: ({ name }: WishToken<unknown>) => settled[name] ?? emptyWishes[name],
    artifact,
    tree: async (of: Ref) => (await artifact(of)).trees![of.slot]!,
    fileOf: async (of: Ref) => (await artifact(of)).files![of.slot]!,
    host: async () => ({ identity: '', title: '', tools: {}, folders: {} }),
    remember: async (_name: string, _input: unknown, compute: () => Promise<Artifact>) => compute(),
    run: async (action: Action): Promise<ActionResult> => {
      actions.push(action)
      return { tree: runHere(action, blobs, exec!), stdout: '' }
    },
    output: async (name: string) => ({ blob: outputs[name]! }),
  }
  return context as unknown as PackContext & { readonly actions: Action[] }
}

const emptyWishes: Record<string, unknown> = {
  'kernel/config': [],
  'kernel/modules': { stage1: [], stage2: [] },
  'kernel/firmware': [],
}

/** A tree as taps see it. */
export const fakeTree = (tree: FileTree, blobs: MemoryBlobs): TreeView => {
  const read = async (path: string): Promise<Uint8Array> => {
    const entry = tree.get(tree.resolve(path)!)
    return entry?.kind === 'file' ? blobs.get(entry.blob) : new Uint8Array()
  }
  return {
    get: (path) => tree.get(path),
    resolve: (path) => tree.resolve(path),
    list: (path) => tree.list(path),
    glob: (pattern) => tree.glob(pattern),
    subtree: (path) => tree.subtree(path),
    all: () => tree,
    read,
    text: async (path) => Buffer.from(await read(path)).toString(),
    delta: () => new DeltaBuilder(),
  }
}

/** Applies a delta and takes its contents into the blobs, as the core does. */
export const applyTo = (tree: FileTree, delta: DeltaBuilder, blobs: MemoryBlobs): FileTree => {
  const built = delta.build()
  for (const content of built.contents.values()) blobs.add(content)
  return tree.apply(built, { plugin: 'kernel' })
}

const attributes = { mode: 0o644, uid: 0, gid: 0 }

/** A folder of this machine as a tree. */
export const treeOf = (folder: string, blobs: MemoryBlobs): FileTree => {
  const records: TreeRecord[] = []
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    records.push({ kind: 'file', path: path.slice(folder.length), blob: blobs.add(readFileSync(path)), ...attributes })
  }
  return FileTree.from(records)
}

/** Writes the files of a tree into a folder of this machine. */
export const writeTree = (tree: FileTree, blobs: MemoryBlobs, folder: string): void => {
  for (const record of tree.records()) {
    if (record.kind !== 'file') continue
    mkdirSync(dirname(join(folder, record.path)), { recursive: true })
    writeFileSync(join(folder, record.path), blobs.get(record.blob))
  }
}

/** Runs with a fresh folder, which is removed afterwards. */
export const inScratch = <T>(use: (folder: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'zos-test-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const runHere = (action: Action, blobs: MemoryBlobs, exec: NonNullable<FakeInput['exec']>): FileTree =>
  inScratch((work) => {
    for (const [path, content] of Object.entries(action.inputs)) {
      if (content instanceof FileTree) writeTree(content, blobs, join(work, path))
      else writeFileSync(join(work, path), blobs.get(content))
    }
    exec(action.command, work)
    return FileTree.from(
      action.outputs.map((path): TreeRecord => {
        const blob = blobs.add(readFileSync(join(work, path)))
        return { kind: 'file', path: `/${path}`, blob, ...attributes }
      }),
    )
  })
