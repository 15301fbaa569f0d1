// What a container needs before a command can run in it: the engine, the image, and files that its user owns.
import { randomUUID } from 'node:crypto'
import { lchown, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ExitCode, ZosError } from '../error.js'
import { actionFolder } from '../model/action.js'
import type { FileTree } from '../model/tree.js'
import type { Sandbox } from './bubblewrap.js'
import {
  type ContainerEngine,
  type ContainerUser,
  containerExec,
  containerRun,
  containerUnavailable,
} from './container.js'
import type { ExecutorWorld, Startable } from './executor.js'
import { askEngine, checkEngine, plain, toolchainImage } from './toolchain-root.js'

/** The user inside where root runs zos: tar and cp as root would give files to users that a container does not have. */
const notRoot = 1000

/** Who a container's commands are. */
export const containerUser = (): ContainerUser => {
  const [uid, gid] = [process.getuid!(), process.getgid!()]
  return uid === 0 ? { uid: notRoot, gid: notRoot, keepsId: false } : { uid, gid, keepsId: true }
}

/** Gives a folder and all in it to the container's user, where that is another than the one who runs zos. */
export const giveToContainer = async (folder: string): Promise<void> => {
  if (process.getuid!() !== 0) return
  const { uid, gid } = containerUser()
  const entries = await readdir(folder, { recursive: true })
  for (const entry of ['.', ...entries])
    await lchown(join(folder, entry), uid, gid).catch((cause: Error) => {
      throw new ZosError(
        'CONTAINER_UNAVAILABLE',
        `files cannot be given to user ${uid} of containers: ${cause.message}`,
        {
          exit: ExitCode.host,
          hint: 'run zos as the user who runs the engine, not as root of a namespace',
          cause,
        },
      )
    })
}

const images = new Map<string, Promise<string>>()

export const noToolchain = (engine: ContainerEngine): ZosError =>
  new ZosError('CONTAINER_TOOLCHAIN', `${engine} runs commands in a toolchain, and the config names none`, {
    exit: ExitCode.config,
    hint: [
      "const tools = debian.as('tools', { suite: 'bookworm', packages: ['gcc', 'libc6-dev', 'make'], essential: true, image: false })",
      'defineConfig({ …, plugins: [tools, …], toolchain: tools.root })',
    ],
  })

/** The image of a toolchain, in which a command has run: what does not work here is said before an action fails. */
export const workingImage = (
  { executor, store, env, signal }: ExecutorWorld & { readonly executor: ContainerEngine },
  root: FileTree | undefined,
): Promise<string> => {
  if (!root) throw noToolchain(executor)
  const make = async (): Promise<string> => {
    await checkEngine(executor, env)
    const image = await toolchainImage(executor, store, root, env, signal)
    const container = { name: nameOf(), image, user: containerUser() }
    const trial = { root: '/', mounts: [], workdir: '/', env: {}, command: [':'], epoch: 0, network: false } as const
    const { args } = containerRun(executor, container, { ...trial, isTerminal: false })
    const answer = await askEngine(executor, args, env, { stdin: open(), signal })
    if ('stderr' in answer) throw containerUnavailable(executor, answer.stderr)
    return image
  }
  const key = `${executor} ${root.digest}`
  const known = images.get(key) ?? make()
  images.set(key, known)
  return known
}

const nameOf = (): string => `zos-${randomUUID()}`

/** Ends when this process does, and not before. */
const open = (): Readable => new Readable({ read: () => undefined })

/** A command in a container of its own, or in one that is there. */
export const containerCommand = async (
  world: ExecutorWorld & { readonly executor: ContainerEngine },
  sandbox: Sandbox,
  root: FileTree | undefined,
): Promise<Startable> => {
  const { executor, container, env } = world
  if (container && container.root !== root?.digest)
    throw new ZosError('CONTAINER_STALE', `${container.name} was made of another toolchain than the config names now`, {
      hint: ['zos container stop', 'zos container start'],
    })
  const image = await workingImage(world, root)
  const folder = sandbox.mounts.find(({ to }) => to === actionFolder)!.from
  await giveToContainer(folder)
  const { file, args } =
    container === undefined
      ? containerRun(executor, { name: nameOf(), image, user: containerUser() }, sandbox)
      : containerExec(executor, container.name, sandbox)
  return { file, args, env: plain(env), cwd: folder, ...(!sandbox.hasInput && { stdin: open() }) }
}
