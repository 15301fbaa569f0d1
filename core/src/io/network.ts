// The network and the host as fetchers see them.
import { mkdirSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FetchContext, HostCommand, Scratch } from '../context.js'
import { rememberArtifact } from '../engine/memo.js'
import type { FetchSession } from '../engine/session.js'
import { ExitCode, isZosError, ZosError } from '../error.js'
import { findTool } from '../exec/identity.js'
import { toolPath } from '../exec/toolchain.js'
import { digestOf, type Json } from '../model/canonical.js'
import type { Blob, TreeRecord } from '../model/entry.js'
import { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { readFolder } from './folder-read.js'
import { writeFolder } from './folder-write.js'
import { glob as globHost } from './host-glob.js'
import type { Http } from './http.js'
import { joinedFetchError } from './http-failure.js'
import { runProcess } from './process.js'

/** Downloads of one build; the connections are made when the first is asked for. */
export interface Network {
  http(): Promise<Http>
  close(): Promise<void>
}

/** Bytes of a download where neither source nor option says more. */
const defaultMaxSize = 1 << 30

export const createNetwork = (store: Store, env: Readonly<Record<string, string | undefined>>): Network => {
  let http: Promise<Http> | undefined
  return {
    http: () => {
      http ??= import('./http.js').then(({ createHttp }) => createHttp({ folder: store.partialFolder, env }))
      return http
    },
    close: async () => {
      if (http) await (await http).close()
    },
  }
}

const scratchIn = (session: FetchSession, path: string): Scratch => ({
  path,
  write: async (name, content) => {
    const target = join(path, name)
    mkdirSync(dirname(target), { recursive: true })
    if (typeof content === 'object' && 'sha256' in content)
      await session.store.blobs.copyTo(content as Blob, target, 0o644)
    else await writeFile(target, content as string | Uint8Array)
  },
  writeTree: async (name, tree) => {
    const { blobs } = session.store
    await writeFolder(tree.records(), blobs, join(path, name), {
      epoch: session.settings.epoch,
      from: blobs,
    })
  },
  text: (name) => readFile(join(path, name), 'utf8'),
  blob: async (name) => session.store.blobs.put(await readFile(join(path, name))),
  tree: async (name) =>
    FileTree.from((await readFolder(join(path, name), session.store.blobs, { modes: 'git' })) as readonly TreeRecord[]),
})

/** The file and its entity tag, as the server last sent it. */
interface Refreshed {
  readonly blob: Blob
  readonly etag: string
}

/** The file that the first reachable address has now; `online` throws where the network is not to be used. */
const refresh = async (
  { store, network, flags, signal }: FetchSession,
  urls: readonly string[],
  maxSize: number,
  online: () => void,
): Promise<Blob> => {
  const errors: ZosError[] = []
  for (const url of urls) {
    const key = digestOf({ refresh: url })
    const kept = store.result('fetch', key) as Refreshed | undefined
    const known = kept && store.blobs.has(kept.blob) ? kept : undefined
    if (flags.offline && known) return known.blob
    if (flags.offline) continue
    try {
      const http = await network.http()
      const { content, etag = '' } = await http.fetchBytes(url, {
        maxSize,
        signal,
        ...(known && known.etag !== '' && { etag: known.etag }),
      })
      if (content === undefined) return known!.blob
      const blob = await store.blobs.put(content)
      await store.setResult('fetch', key, { blob, etag } as unknown as Json)
      return blob
    } catch (error) {
      if (!isZosError(error) || error.code !== 'FETCH_HTTP') throw error
      errors.push(error)
    }
  }
  if (errors.length === 0) online()
  throw joinedFetchError(errors)
}

const takenKey = (url: string, sha256: string): string => digestOf({ taken: url, sha256 })

/**
 * The file, where one of these addresses gave it before. That the store has some content of this digest is not enough:
 * a lock whose digest was swapped for that of another file would put that file in this one's place.
 */
const takenBefore = (
  store: Store,
  urls: readonly string[],
  { sha256, size }: { readonly sha256: string; readonly size: number | undefined },
): Blob | undefined => {
  for (const url of urls) {
    const taken = store.result('fetch', takenKey(url, sha256)) as unknown as Blob | undefined
    if (taken && (size ?? taken.size) === taken.size && store.blobs.has(taken)) return taken
  }
  return undefined
}

let scratches = 0

/** The context of pins and fetchers. `step` is what progress and errors are about. */
export const fetchContext = (
  session: FetchSession,
  step: string,
  plugin: string,
  fetchPinned: FetchContext['fetch'],
): FetchContext & { dispose(): Promise<void> } => {
  const { settings, store, signal, flags, report, env } = session
  const folders: string[] = []
  const makeScratch = (): Scratch => {
    const folder = store.workFolder(`fetch-${++scratches}`)
    folders.push(folder)
    return scratchIn(session, folder)
  }
  const online = (what: string): void => {
    if (!flags.offline) return
    throw new ZosError('OFFLINE', `${what} is not in the store, and --offline forbids the network`, {
      hint: 'run once without --offline',
      exit: ExitCode.fetch,
    })
  }
  return {
    ...settings,
    project: session.project,
    blobs: store.blobs,
    offline: flags.offline,
    now: Math.floor(session.now() / 1000),
    signal,
    env,
    download: async (urls, { sha256, size, maxSize = defaultMaxSize } = {}) => {
      const known = sha256 === undefined ? undefined : takenBefore(store, urls, { sha256, size })
      if (known && flags.cacheDownloads) return known
      online(urls[0] ?? step)
      const http = await session.network.http()
      const isChecked = flags.verifyChecksums || sha256 === undefined
      const expected = isChecked && { ...(sha256 !== undefined && { sha256 }), ...(size !== undefined && { size }) }
      const blob = await http.download(
        { urls, maxSize, ...expected },
        ({ path, sha256: digest, size: bytes }) => store.blobs.adopt(path, { sha256: digest, size: bytes }),
        { signal, onProgress: (bytes, total) => report.progress(step, 'downloading', bytes, total) },
      )
      for (const url of urls) await store.setResult('fetch', takenKey(url, blob.sha256), { ...blob })
      if (isChecked || blob.sha256 === sha256) return blob
      session.unverified.add(step)
      report.warn({
        code: 'CHECKSUM_IGNORED',
        plugin,
        message: `${step} has SHA-256 ${blob.sha256}, expected ${sha256}; VERIFY_CHECKSUMS=false takes it as it is`,
      })
      return blob
    },
    refresh: (urls, { maxSize = defaultMaxSize } = {}) =>
      refresh(session, urls, maxSize, () => online(urls[0] ?? step)),
    run: async (command: HostCommand) => {
      const folder = folders[0] ?? makeScratch().path
      const inherited = Object.fromEntries(
        Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined),
      )
      const { stdout, stderr } = await runProcess({
        file: findTool(command.file, toolPath(env)) ?? command.file,
        args: command.args,
        env: { ...inherited, ...command.env },
        cwd: command.cwd ? join(folder, command.cwd) : folder,
        signal,
        onLine: (line) => report.progress(step, line.trim()),
      })
      return { stdout: stdout.toString('utf8'), stderr }
    },
    has: async (tool) => findTool(tool, toolPath(env)) !== undefined,
    hostText: (path) => {
      session.digests.watch(path)
      return readFile(path, 'utf8').catch(() => undefined)
    },
    hostGlob: (pattern) => {
      session.digests.watch(dirname(pattern))
      return globHost(pattern)
    },
    scratch: async () => makeScratch(),
    remember: (name, input, compute) => rememberArtifact(session, plugin, name, input, compute),
    fetch: fetchPinned,
    progress: (text, done, total) => report.progress(step, text, done, total),
    warn: (code, message, hint) => report.warn({ code, message, plugin, ...(hint !== undefined && { hint }) }),
    dispose: async () => {
      for (const folder of folders) await rm(folder, { recursive: true, force: true })
    },
  }
}
