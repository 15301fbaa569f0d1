// Toolchains made of trees, as the executors want them: a folder for bubblewrap, an image for podman and docker.
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ExitCode, isZosError, ZosError } from '../error.js'
import { writeTar } from '../format/tar-write.js'
import { writeFolder } from '../io/folder-write.js'
import { runProcess } from '../io/process.js'
import type { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { type ContainerEngine, containerUnavailable } from './container.js'

/** Times of files in a toolchain, seconds since 1970. */
const fileTime = 315_532_800

/** Who owns the files of a toolchain, as bubblewrap shows them. */
const fileOwner = { uid: 1000, gid: 1000 }

/** Makes empty folders below a root; a link on the way might lead out of it. */
const addFolders = (root: string, paths: readonly string[]): void => {
  for (const path of paths) {
    let at = root
    for (const part of path.split('/').filter((one) => one !== '')) {
      at = join(at, part)
      const found = lstatSync(at, { throwIfNoEntry: false })
      if (!found) mkdirSync(at)
      else if (!found.isDirectory())
        throw new ZosError(
          'TOOLCHAIN_MOUNT',
          `${path} is to be a folder of the sandbox, and the toolchain has a file there`,
        )
    }
  }
}

/** The tree as a folder of the store, made once; `folders` are places that something is to be mounted on. */
export const toolchainFolder = async (store: Store, tree: FileTree, folders: readonly string[]): Promise<string> => {
  const folder = join(store.rootFolder, tree.digest)
  if (existsSync(folder)) {
    const now = new Date()
    utimesSync(folder, now, now)
  } else {
    const made = store.workFolder(`root-${tree.digest.slice(0, 16)}`)
    rmSync(made, { recursive: true, force: true })
    await writeFolder(tree.records(), store.blobs, made, { epoch: fileTime, from: store.blobs, special: 'skip' })
    try {
      renameSync(made, folder)
    } catch (error) {
      // Another build has made it meanwhile.
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  addFolders(folder, folders)
  return folder
}

export type Environment = Readonly<Record<string, string | undefined>>

/** What is set of an environment. */
export const plain = (env: Environment): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

/** Runs an engine in the user's environment; gives what it printed, `undefined` where it failed and that is an answer. */
export const askEngine = async (
  engine: ContainerEngine,
  args: readonly string[],
  env: Environment,
  more: { readonly stdin?: Readable; readonly signal?: AbortSignal } = {},
): Promise<{ readonly stdout: string } | { readonly stderr: string }> => {
  try {
    const install = engine === 'podman' ? 'apt-get install podman' : 'https://docs.docker.com/engine/install/'
    const { stdout } = await runProcess({ file: engine, args, env: plain(env), cwd: '/', install, ...more })
    return { stdout: stdout.toString('utf8').trim() }
  } catch (error) {
    if (!isZosError(error) || error.code !== 'PROCESS_FAILED') throw error
    return { stderr: String(error.data.stderr) }
  }
}

/** Makes sure that an engine is there and answers; else `HOST_TOOL_MISSING` or `CONTAINER_UNAVAILABLE`. */
export const checkEngine = async (engine: ContainerEngine, env: Environment): Promise<void> => {
  const asked = engine === 'docker' ? ['info', '--format', '{{.ServerVersion}} {{.SecurityOptions}}'] : ['version']
  const answer = await askEngine(engine, asked, env)
  if ('stderr' in answer) throw containerUnavailable(engine, answer.stderr)
  if (engine === 'docker' && answer.stdout.includes('name=rootless'))
    throw new ZosError(
      'CONTAINER_UNAVAILABLE',
      'docker runs without root here: files of containers would be nobody’s',
      {
        exit: ExitCode.host,
        hint: 'podman can do without root: zos build --executor podman',
      },
    )
}

/** The image of a tree; the engine gets it where it has not got it yet. No registry is asked. */
export const toolchainImage = async (
  engine: ContainerEngine,
  store: Store,
  tree: FileTree,
  env: Environment,
  signal: AbortSignal,
): Promise<string> => {
  const image = `localhost/zos-toolchain:${tree.digest.slice(0, 32)}`
  const known = await askEngine(engine, ['image', 'inspect', '--format', '{{.Id}}', image], env)
  if ('stdout' in known) return image
  const records = [...tree.records()].map((record) => ({ ...record, ...fileOwner }))
  const stdin = Readable.from(writeTar(records, store.blobs, { epoch: fileTime }))
  const answer = await askEngine(engine, ['import', '-', image], env, { stdin, signal })
  if ('stderr' in answer) throw containerUnavailable(engine, answer.stderr)
  return image
}
