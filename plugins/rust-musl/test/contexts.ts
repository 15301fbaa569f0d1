// As much of the contexts as the plugin's taps use, on real files and real host programs.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type Action,
  type ActionResult,
  type Artifact,
  type FetchContext,
  type Fetched,
  FileTree,
  type HostToolchainSpec,
  type Package,
  type PinnedSource,
  type Ref,
  type Scratch,
  type TapContext,
  type TreeRecord,
  ZosError,
} from '@zos/core'
import { MemoryBlobs } from '@zos/core/testing'

export { MemoryBlobs }

export const treeOf = async (blobs: MemoryBlobs, files: Readonly<Record<string, string>>): Promise<FileTree> => {
  const records: TreeRecord[] = []
  for (const [path, text] of Object.entries(files)) {
    records.push({ path: `/${path}`, kind: 'file', mode: 0o644, uid: 0, gid: 0, blob: await blobs.put(text) })
  }
  return FileTree.from(records)
}

export const readTree = async (folder: string, blobs: MemoryBlobs): Promise<FileTree> => {
  const records: TreeRecord[] = []
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name)
    const mode = statSync(file).mode & 0o111 ? 0o755 : 0o644
    if (statSync(file).isFile()) {
      records.push({ path: `/${name}`, kind: 'file', mode, uid: 0, gid: 0, blob: await blobs.put(readFileSync(file)) })
    }
  }
  return FileTree.from(records)
}

export const writeTree = async (folder: string, tree: FileTree, blobs: MemoryBlobs): Promise<void> => {
  for (const record of tree.records()) {
    if (record.kind !== 'file') continue
    mkdirSync(dirname(join(folder, record.path)), { recursive: true })
    writeFileSync(join(folder, record.path), await blobs.read(record.blob), { mode: record.mode })
  }
}

/** A folder for one test file; removed at its end by the caller. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'zos-rust-'))

export interface FetchInput {
  readonly blobs: MemoryBlobs
  /** Where scratch folders are made. */
  readonly root: string
  readonly env?: Readonly<Record<string, string>>
  /** What other sources give, by name. */
  readonly sources?: Readonly<Record<string, Fetched>>
  /** Folders of the project, by path. */
  readonly folders?: Readonly<Record<string, FileTree>>
}

/** Runs real programs; what they print to standard error is in the errors. */
export const fetchContext = ({ blobs, root, env = {}, sources = {}, folders = {} }: FetchInput): FetchContext => {
  const folder = mkdtempSync(join(root, 'scratch-'))
  const scratch: Scratch = {
    path: folder,
    write: async (path, content) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content as string)
    },
    writeTree: async (path, tree) => writeTree(join(folder, path), tree, blobs),
    text: async (path) => readFileSync(join(folder, path), 'utf8'),
    blob: async (path) => blobs.put(readFileSync(join(folder, path))),
    tree: async (path) => readTree(join(folder, path), blobs),
  }
  const context: Partial<FetchContext> = {
    arch: 'x86_64',
    blobs,
    offline: false,
    project: { folder: async (path: string) => folders[path]!, env: (name: string) => env[name] } as never,
    scratch: async () => scratch,
    hostText: async (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
    fetch: async ({ name }: PinnedSource) => sources[name]!,
    run: async ({ file, args, env: more }) => {
      try {
        const stdout = execFileSync(file, [...args], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...process.env, ...env, ...more },
          stdio: ['ignore', 'pipe', 'pipe'],
          maxBuffer: 1 << 26,
        })
        return { stdout, stderr: '' }
      } catch (cause) {
        const { stderr } = cause as { stderr?: string }
        throw new ZosError('PROCESS_FAILED', `${file} failed`, { cause, data: { stderr: stderr ?? '' } })
      }
    },
  }
  return context as FetchContext
}

export interface TapInput {
  readonly blobs: MemoryBlobs
  readonly fetched: Readonly<Record<string, Fetched>>
  readonly artifacts?: Readonly<Record<string, Artifact>>
  readonly files?: Readonly<Record<string, string>>
  /** Plays the sandbox. */
  readonly act: (action: Action) => Promise<ActionResult>
}

export const tapContext = ({ blobs, fetched, artifacts = {}, files = {}, act }: TapInput) => {
  const actions: Action[] = []
  const hosts: HostToolchainSpec[] = []
  const packages: Package[] = []
  const artifact = async ({ component }: Ref): Promise<Artifact> => artifacts[component]!
  const context = {
    arch: 'x86_64',
    blobs,
    actions,
    hosts,
    packages,
    package: (one: Package) => packages.push(one),
    project: { bytes: async (path: string) => Buffer.from(files[path]!) },
    fetched: async (name: string) => fetched[name]!,
    artifact,
    tree: async (of: Ref) => (await artifact(of)).trees![of.slot]!,
    host: async (spec: HostToolchainSpec) => {
      hosts.push(spec)
      return { identity: '', title: '', tools: {}, folders: {} }
    },
    run: async (action: Action) => {
      actions.push(action)
      return act(action)
    },
  }
  return context as unknown as TapContext & Pick<typeof context, 'actions' | 'hosts' | 'packages'>
}

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** Whether a program can be started. */
export const has = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
