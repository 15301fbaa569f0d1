// A container that stays between builds, and the note in the store that says which it is.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ZosError } from '../error.js'
import { actionFolder } from '../model/action.js'
import { sha256 } from '../model/canonical.js'
import type { FileTree } from '../model/tree.js'
import type { Store } from '../store/store.js'
import { type ContainerEngine, containerEngines, containerStart, containerUnavailable } from './container.js'
import { containerUser, giveToContainer, workingImage } from './container-executor.js'
import type { ExecutorWorld } from './executor.js'
import { askEngine, type Environment } from './toolchain-root.js'

export interface KeptContainer {
  readonly engine: ContainerEngine
  readonly name: string
  /** Digest of the tree that it is made of. */
  readonly root: string
}

const notePath = (store: Store, config: string): string => join(store.containerFolder, `${config}.json`)

/** Where the working folder of a container lies on the host. */
export const containerFolder = (store: Store, name: string): string => join(store.containerFolder, name)

const noteOf = (store: Store, config: string): KeptContainer | undefined => {
  try {
    const note = JSON.parse(readFileSync(notePath(store, config), 'utf8')) as KeptContainer
    return containerEngines.includes(note.engine) && typeof note.name === 'string' ? note : undefined
  } catch {
    return undefined
  }
}

/** The container of a config, if it runs. */
export const keptContainer = async (
  store: Store,
  config: string,
  env: Environment,
): Promise<KeptContainer | undefined> => {
  const note = noteOf(store, config)
  if (!note) return undefined
  const state = await askEngine(note.engine, ['container', 'inspect', '--format', '{{.State.Running}}', note.name], env)
  return 'stdout' in state && state.stdout === 'true' ? note : undefined
}

/** Starts a container of a toolchain, without network, with an empty working folder. */
export const startContainer = async (
  world: ExecutorWorld & { readonly executor: ContainerEngine },
  config: string,
  root: FileTree,
): Promise<KeptContainer> => {
  const { executor: engine, store, env, signal } = world
  const image = await workingImage(world, root)
  const name = `zos-${config}-${sha256(store.folder).slice(0, 8)}`
  const folder = containerFolder(store, name)
  await removeContainer(engine, name, env)
  mkdirSync(folder, { recursive: true })
  await giveToContainer(folder)
  const mounts = [{ from: folder, to: actionFolder, writable: true }]
  const { args } = containerStart(engine, { name, image, user: containerUser() }, { mounts, workdir: actionFolder })
  const answer = await askEngine(engine, args, env, { signal })
  if ('stderr' in answer) throw containerUnavailable(engine, answer.stderr)
  const note: KeptContainer = { engine, name, root: root.digest }
  writeFileSync(notePath(store, config), `${JSON.stringify(note)}\n`)
  return note
}

const removeContainer = (engine: ContainerEngine, name: string, env: Environment) =>
  askEngine(engine, ['rm', '--force', name], env)

/** Ends the container of a config; gives its name, `undefined` where there is none. */
export const stopContainer = async (store: Store, config: string, env: Environment): Promise<string | undefined> => {
  const note = noteOf(store, config)
  if (!note) return undefined
  const isThere = (await keptContainer(store, config, env)) !== undefined
  const answer = await removeContainer(note.engine, note.name, env)
  if ('stderr' in answer && isThere)
    throw new ZosError('CONTAINER_STOP', `${note.engine} does not end ${note.name}\n  ${answer.stderr.trim()}`)
  rmSync(notePath(store, config), { force: true })
  rmSync(containerFolder(store, note.name), { recursive: true, force: true })
  return isThere ? note.name : undefined
}
