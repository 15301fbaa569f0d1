// One plugin's taps on a tree in memory.
import {
  type Artifact,
  DeltaBuilder,
  FileTree,
  type Finding,
  type Hooks,
  type TapContext,
  type TreeView,
} from '@zos/core'
import { type SystemOptions, system } from '../dist/index.js'

type Tap = (tree: TreeView, ctx: TapContext) => Promise<unknown>
type Content = string | Uint8Array

export interface Image {
  readonly files?: Readonly<Record<string, Content>>
  readonly links?: Readonly<Record<string, string>>
  readonly mode?: 'debug' | 'release'
  readonly project?: Readonly<Record<string, string>>
}

const tapsOf = (options: SystemOptions) => {
  const taps: { hook: string; name: string; tap: Tap }[] = []
  const keep = (hook: string) => ({
    tap: (named: string | { name: string }, tap: Tap) => {
      taps.push({ hook, name: typeof named === 'string' ? named : named.name, tap })
    },
  })
  const hooks = { assemble: keep('assemble'), optimize: keep('optimize'), check: keep('check') }
  system(options).definition.apply(hooks as unknown as Hooks, options, { id: 'system' })
  return taps
}

/** Runs all taps of a hook after another, or one by name, and gives the tree and the findings. */
export const run = async (options: SystemOptions, image: Image, only?: readonly string[]) => {
  const contents = new Map<string, Uint8Array>()
  const explained: string[] = []
  let tree = FileTree.empty
  const apply = (delta: DeltaBuilder, plugin: string): void => {
    const built = delta.build()
    for (const [digest, bytes] of built.contents) contents.set(digest, bytes)
    tree = tree.apply(built, { plugin })
  }
  const base = new DeltaBuilder()
  for (const [path, content] of Object.entries(image.files ?? {})) base.file(path, content, { mode: 0o755 })
  for (const [path, target] of Object.entries(image.links ?? {})) base.symlink(path, target)
  apply(base, 'base')
  const bytesAt = (path: string): Uint8Array => {
    const entry = tree.get(tree.resolve(path) ?? path)
    if (entry?.kind !== 'file') throw new Error(`${path} is no file`)
    return contents.get(entry.blob.sha256)!
  }
  const view = (): TreeView =>
    ({
      get: (path: string) => tree.get(path),
      resolve: (path: string) => tree.resolve(path),
      glob: (pattern: string) => tree.glob(pattern),
      read: async (path: string) => bytesAt(path),
      text: async (path: string) => Buffer.from(bytesAt(path)).toString(),
      delta: (how?: { over?: 'any' }) => new DeltaBuilder(how),
    }) as unknown as TreeView
  const ctx = {
    mode: image.mode ?? 'debug',
    name: 'my-image',
    explain: (text: string) => explained.push(text),
    blobs: { read: async (blob: { sha256: string }) => contents.get(blob.sha256)! },
    project: {
      text: async (path: string) => image.project![path]!,
      bytes: async (path: string) => Buffer.from(image.project![path]!),
    },
    remember: (_name: string, _input: unknown, compute: () => Promise<Artifact>) => compute(),
  } as unknown as TapContext
  const findings: Finding[] = []
  for (const { hook, name, tap } of tapsOf(options)) {
    if (only && !only.includes(`${hook} ${name}`)) continue
    const given = await tap(view(), ctx)
    if (hook === 'check') findings.push(...(given as Finding[]))
    else apply(given as DeltaBuilder, 'system')
  }
  const text = (path: string): string | undefined =>
    tree.resolve(path) === undefined ? undefined : Buffer.from(bytesAt(path)).toString()
  const paths = [...tree.records()].filter(({ kind }) => kind !== 'directory').map(({ path }) => path)
  return { tree, text, paths, explained, said: findings.map(({ code, subject }) => `${code} ${subject}`), findings }
}
