// Who runs an action: bubblewrap, a container of podman or docker, or the bare host when it was asked for by name.
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ExitCode, isZosError, ZosError } from '../error.js'
import type { Command } from '../io/process.js'
import { actionFolder } from '../model/action.js'
import type { Toolchain } from '../model/toolchain.js'
import type { Store } from '../store/store.js'
import { bubblewrapCommand, mountPoints, type Sandbox } from './bubblewrap.js'
import { probeBubblewrap } from './bubblewrap-probe.js'
import { containerEngines } from './container.js'
import { containerCommand } from './container-executor.js'
import type { KeptContainer } from './kept-container.js'
import { checkEngine, type Environment, toolchainFolder } from './toolchain-root.js'

export const executorNames = ['bubblewrap', ...containerEngines, 'host'] as const
export type ExecutorName = (typeof executorNames)[number]

/** An action as executors get it: its inputs lie in `folder` on the host. */
export interface Prepared {
  readonly folder: string
  readonly cwd: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly toolchain: Pick<Toolchain, 'folders' | 'root'>
  /** For a person: the terminal stays theirs. */
  readonly isTerminal?: boolean
  /** Standard input is the command's; else it reads nothing. */
  readonly hasInput?: boolean
}

/** What executors need of a build. */
export interface ExecutorWorld {
  readonly executor: ExecutorName
  /** A container that runs and takes commands, in place of one for each. */
  readonly container?: KeptContainer
  readonly store: Store
  readonly env: Environment
  readonly signal: AbortSignal
}

/** A command line with all that it needs in place. */
export interface Startable extends Command {
  readonly cwd: string
  /** Has to stay open for as long as the command may run. */
  readonly stdin?: Readable
}

/** Seconds since 1970 that sandboxes show as SOURCE_DATE_EPOCH where an action says nothing else: 1980, which every format can hold. */
const epoch = 315_532_800

const probes = new Map<ExecutorName, Promise<void>>()

const probe = async (name: ExecutorName, env: Environment): Promise<void> => {
  if (name === 'podman' || name === 'docker') return checkEngine(name, env)
  const found = await probeBubblewrap()
  if (!found.usable) throw found.error
}

/** Makes sure once that an executor works here; else `SANDBOX_UNAVAILABLE` or `CONTAINER_UNAVAILABLE` with the way out. */
export const checkExecutor = async (name: ExecutorName, env: Environment): Promise<void> => {
  if (name === 'host') return
  const known = probes.get(name) ?? probe(name, env)
  probes.set(name, known)
  await known
}

/**
 * The executor of an action where none was asked for by name: bubblewrap, or where it does not work and the config names
 * a toolchain, the first engine that does. Never the bare host.
 */
export const defaultExecutor = async (hasToolchain: boolean, env: Environment): Promise<ExecutorName> => {
  try {
    await checkExecutor('bubblewrap', env)
    return 'bubblewrap'
  } catch (error) {
    if (!hasToolchain || !isZosError(error) || error.code !== 'SANDBOX_UNAVAILABLE') throw error
    for (const engine of containerEngines) {
      const works = await checkExecutor(engine, env).then(
        () => true,
        () => false,
      )
      if (works) return engine
    }
    throw error
  }
}

export const executorOf = (text: string): ExecutorName => {
  const name = executorNames.find((one) => one === text)
  if (name) return name
  throw new ZosError('EXECUTOR_UNKNOWN', `--executor ${text}: expected ${executorNames.join(', ')}`, {
    exit: ExitCode.usage,
  })
}

const onHost = ({ folder, cwd, command, env, toolchain }: Prepared): Startable => {
  if (toolchain.root)
    throw new ZosError('EXECUTOR_HOST', 'the config names a toolchain, and the bare host has only its own', {
      hint: 'leave --executor out, or name podman or docker',
      exit: ExitCode.usage,
    })
  const [file = '', ...args] = command
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const fixed = { PATH: path, HOME: `${folder}/.home`, LANG: 'C.UTF-8', TZ: 'UTC', SOURCE_DATE_EPOCH: String(epoch) }
  return { file, args, env: { ...fixed, ...env }, cwd: join(folder, cwd) }
}

/** Makes what an executor needs beside the inputs, such as the image of a container, and gives the command line. */
export const executorCommand = async (world: ExecutorWorld, prepared: Prepared): Promise<Startable> => {
  const { executor, store } = world
  if (executor === 'host') return onHost(prepared)
  const { folder, cwd, command, env, toolchain, isTerminal = false, hasInput = false } = prepared
  const sandbox: Sandbox = {
    root: 'host',
    mounts: [
      { from: folder, to: actionFolder, writable: true },
      ...Object.entries(toolchain.folders).map(([to, from]) => ({ from, to, writable: false })),
    ],
    workdir: cwd === '' ? actionFolder : `${actionFolder}/${cwd}`,
    env,
    command,
    epoch,
    network: false,
    isTerminal,
    hasInput,
  }
  if (executor !== 'bubblewrap') return containerCommand({ ...world, executor }, sandbox, toolchain.root)
  if (!toolchain.root) return { ...bubblewrapCommand(sandbox), cwd: folder }
  const root = await toolchainFolder(store, toolchain.root, mountPoints({ ...sandbox, root: '/' }))
  return { ...bubblewrapCommand({ ...sandbox, root }), cwd: folder }
}
