// What a tap sees when its plugin is run alone: everything comes from plain values, nothing touches the machine.

import type { FetchContext, Plan, ProjectReader, Settings, TapContext, TreeView } from '../context.js'
import { ZosError } from '../error.js'
import { encodeXzBlock } from '../format/xz-encode.js'
import type { Action } from '../model/action.js'
import type { Artifact, Ref } from '../model/artifact.js'
import { DeltaBuilder } from '../model/delta.js'
import type { Package } from '../model/package.js'
import type { Fetched } from '../model/source.js'
import { FileTree } from '../model/tree.js'
import type { MemoryBlobs } from './memory-blobs.js'
import type { Given } from './run-plugin.js'
import { treeOf } from './trees.js'

/** What the taps said and asked for, in their order. */
export interface Noted {
  readonly explained: string[]
  readonly details: string[]
  readonly warnings: string[]
  readonly packages: Package[]
  readonly actions: Action[]
}

/** What of a run stays the same for all its taps. */
export interface World extends Noted {
  readonly given: Given
  readonly settings: Settings
  readonly blobs: MemoryBlobs
  /** What the plugin's sources gave, by name. */
  readonly fetched: Map<string, Fetched>
  /** By component id: those that were given, and those that the plugin built. */
  readonly artifacts: Map<string, Artifact>
  readonly settled: Map<string, unknown>
}

const missing = (what: string, member: string): ZosError =>
  new ZosError('TEST_MISSING', `the plugin asked for ${what}`, { hint: `give it to runPlugin: ${member}` })

export const projectReader = ({ given, blobs }: World): ProjectReader => {
  const files = given.project ?? {}
  const bytes = async (path: string): Promise<Uint8Array> => {
    const content = files[path.replace(/^\.\//, '')]
    if (content === undefined) throw new ZosError('FILE_MISSING', `${path}: no such file in the project`)
    return typeof content === 'string' ? Buffer.from(content) : content
  }
  const asTree = treeOf(files, blobs)
  return {
    bytes,
    text: async (path) => Buffer.from(await bytes(path)).toString('utf8'),
    glob: async (pattern) =>
      asTree.glob(`/${pattern}`).flatMap(({ kind, path }) => (kind === 'file' ? [path.slice(1)] : [])),
    folder: async (path) => asTree.subtree(`/${path}`),
    env: (name) => given.env?.[name],
  }
}

const reporting = ({ warnings }: World): Pick<Plan, 'progress' | 'warn'> => ({
  progress: () => undefined,
  warn: (code, message) => {
    warnings.push(`${code} ${message}`)
  },
})

export const worldTree = (world: World, tree: FileTree): TreeView => {
  const read = async (path: string): Promise<Uint8Array> => {
    const target = tree.resolve(path)
    const entry = target === undefined ? undefined : tree.get(target)
    if (entry?.kind !== 'file')
      throw new ZosError('TREE_MISSING', `${path}: expected a file in the tree, found ${entry?.kind ?? 'nothing'}`)
    return world.blobs.get(entry.blob)
  }
  return {
    get: (path) => tree.get(path),
    resolve: (path) => tree.resolve(path),
    list: (path) => tree.list(path),
    glob: (pattern) => tree.glob(pattern),
    subtree: (path) => tree.subtree(path),
    all: () => tree,
    read,
    text: async (path) => Buffer.from(await read(path)).toString('utf8'),
    delta: (options) => new DeltaBuilder(options),
  }
}

export const tapContextIn = (world: World): TapContext => {
  const { given, settings, blobs, artifacts, fetched, settled } = world
  const artifact = async ({ plugin, component }: Ref): Promise<Artifact> => {
    const found = artifacts.get(`${plugin}/${component}`)
    if (found) return found
    throw missing(`what ${plugin}/${component} gave`, `artifacts: { '${plugin}/${component}': … }`)
  }
  const slot = <T>(reference: Ref, found: T | undefined): T => {
    if (found !== undefined) return found
    throw new ZosError(
      'ARTIFACT_SLOT',
      `${reference.plugin}/${reference.component} has nothing named ${reference.slot}`,
    )
  }
  return {
    ...settings,
    ...reporting(world),
    project: projectReader(world),
    blobs,
    explain: (text) => {
      world.explained.push(text)
    },
    detail: (...lines) => {
      world.details.push(...lines)
    },
    package: (one) => {
      world.packages.push(one)
    },
    settled: (token) => (settled.get(token.name) ?? []) as never,
    fetched: async (name) => {
      const found = fetched.get(name)
      if (found) return found
      throw missing(`what the source ${name} gave`, `fetched: { '${name}': … }`)
    },
    artifact,
    tree: async (reference) => slot(reference, (await artifact(reference)).trees?.[reference.slot]),
    fileOf: async (reference) => slot(reference, (await artifact(reference)).files?.[reference.slot]),
    host: async ({ tools }) => ({
      identity: 'test',
      title: tools.join(', '),
      tools: Object.fromEntries(tools.map((tool) => [tool, tool.startsWith('/') ? tool : `/usr/bin/${tool}`])),
      folders: {},
    }),
    run: async (action) => {
      world.actions.push(action)
      if (!given.run) throw missing(`the command ${action.command.join(' ')}`, 'run: (action, blobs) => ({ … })')
      const left = await given.run(action, blobs)
      return left instanceof FileTree ? { tree: left, stdout: '' } : left
    },
    remember: (_name, _input, compute) => compute(),
    packedSize: async (...contents) => {
      const plain = Buffer.concat(contents.map((blob) => blobs.get(blob)))
      if (plain.length === 0) return 0
      return (await encodeXzBlock({ size: plain.length, chunks: [plain] }, { preset: 6 })).bytes.length
    },
  }
}

/** The context of pins and fetchers: the network is what `downloads` has; there are no programs and no folders. */
export const fetchContextIn = (world: World): FetchContext => {
  const { given, settings, blobs } = world
  const download: FetchContext['download'] = async (urls, { sha256 } = {}) => {
    const url = urls.find((one) => given.downloads?.[one] !== undefined)
    if (url === undefined) throw missing(`the file ${urls.join(', ')}`, `downloads: { '${urls[0]}': … }`)
    const blob = blobs.add(given.downloads![url]!)
    if (sha256 === undefined || sha256 === blob.sha256) return blob
    throw new ZosError('FETCH_DIGEST', `${url}: SHA-256 is ${blob.sha256}, expected ${sha256}`)
  }
  const nothing = (what: string) => async (): Promise<never> => {
    throw new ZosError('TEST_MISSING', `the plugin asked for ${what}, which a run in memory does not have`, {
      hint: 'test that part with the built CLI',
    })
  }
  return {
    ...settings,
    ...reporting(world),
    project: projectReader(world),
    blobs,
    offline: false,
    now: settings.epoch,
    signal: new AbortController().signal,
    env: given.env ?? {},
    download,
    refresh: (urls) => download(urls),
    run: nothing('a program of the host'),
    has: async () => false,
    hostText: async () => undefined,
    hostGlob: async () => [],
    scratch: nothing('a scratch folder'),
    remember: (_name, _input, compute) => compute(),
    fetch: nothing('a further source'),
  }
}
