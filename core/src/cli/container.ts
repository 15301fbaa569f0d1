import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { didYouMean } from '../config/closest.js'
import type { Config } from '../config/load.js'
import { ExitCode, ZosError } from '../error.js'
import { type ContainerEngine, containerEngines, containerExec } from '../exec/container.js'
import { noToolchain } from '../exec/container-executor.js'
import { findTool } from '../exec/identity.js'
import { type KeptContainer, keptContainer, startContainer, stopContainer } from '../exec/kept-container.js'
import { toolPath } from '../exec/toolchain.js'
import { plain } from '../exec/toolchain-root.js'
import { actionFolder } from '../model/action.js'
import { buildTree } from '../phases/one-tree.js'
import { Store } from '../store/store.js'
import { buildCommand, buildConfig, reportsOf } from './build.js'
import type { Cli, CliCommand, OptionValues } from './command.js'
import { configOf, openSession, storeFolder } from './session.js'

const words = ['start', 'shell', 'build', 'stop'] as const
type Word = (typeof words)[number]

/** The engine that was asked for, else the one that is there. */
const engineOf = (cli: Cli, options: OptionValues): ContainerEngine => {
  const asked = options.executor as string | undefined
  if (asked === undefined) return containerEngines.find((one) => findTool(one, toolPath(cli.env))) ?? 'podman'
  const engine = containerEngines.find((one) => one === asked)
  if (engine) return engine
  throw new ZosError('EXECUTOR_UNKNOWN', `--executor ${asked}: expected ${containerEngines.join(' or ')}`, {
    exit: ExitCode.usage,
  })
}

const withStore = async <T>(cli: Cli, config: Config, run: (store: Store) => Promise<T>): Promise<T> => {
  const store = Store.open(storeFolder(cli, config), cli.now)
  try {
    return await run(store)
  } finally {
    store.close()
  }
}

const say = (cli: Cli, options: OptionValues, text: string, facts: object): number => {
  cli.out(options.json === true ? `${JSON.stringify(facts)}\n` : `${text}\n`)
  return ExitCode.ok
}

const running = async (cli: Cli, config: Config): Promise<KeptContainer> => {
  const kept = await withStore(cli, config, (store) => keptContainer(store, config.name, cli.env))
  if (kept) return kept
  throw new ZosError('CONTAINER_NONE', `no container of ${config.name} runs`, {
    hint: 'zos container start',
    exit: ExitCode.usage,
  })
}

const start = async (cli: Cli, config: Config, options: OptionValues): Promise<number> => {
  const executor = engineOf(cli, options)
  if (!config.toolchain) throw noToolchain(executor)
  const report = reportsOf(cli, { ...options, json: false }, [])
  const open = await openSession({ ...cli, out: cli.err }, config, { ...options, executor }, report)
  const { session } = open
  try {
    const root = await buildTree(session, config.toolchain, open.saveLock)
    const { store, env, signal } = session
    const { name } = await startContainer({ executor, store, env, signal }, config.name, root)
    return say(cli, options, `${name} runs (${executor}); a shell in it: zos container shell`, {
      name,
      engine: executor,
    })
  } finally {
    report.close()
    await open.close()
  }
}

const stop = async (cli: Cli, config: Config, options: OptionValues): Promise<number> => {
  const name = await withStore(cli, config, (store) => stopContainer(store, config.name, cli.env))
  return say(cli, options, name === undefined ? `no container of ${config.name} runs` : `${name} has ended`, {
    name: name ?? null,
  })
}

const shell = async (cli: Cli, config: Config, command: readonly string[]): Promise<number> => {
  const { engine, name } = await running(cli, config)
  const isTerminal = process.stdin.isTTY === true
  const { args } = containerExec(engine, name, {
    ...{ root: '/', mounts: [], workdir: actionFolder, epoch: 315_532_800, network: false },
    env: { ...(cli.env.TERM && { TERM: cli.env.TERM }), PS1: `${config.name}:\\w\\$ ` },
    command: command.length > 0 ? command : ['/bin/sh'],
    isTerminal,
    hasInput: true,
  })
  const child = spawn(engine, args, { env: plain(cli.env), stdio: 'inherit' })
  return new Promise((done, fail) => {
    cli.signal.addEventListener('abort', () => isTerminal || child.kill('SIGTERM'))
    child.once('error', fail)
    child.once('close', (code, signal) => done(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

const { clean: _, 'verify-cache': __, ...options } = buildCommand.options

export const containerCommand: CliCommand = {
  name: 'container',
  summary: 'Keeps a container of the config’s toolchain: starts it, opens a shell in it, builds in it, ends it.',
  arguments: 'start|shell|build|stop [OUTPUT…] [-- COMMAND…]',
  options: {
    ...options,
    executor: { type: 'string', value: 'NAME', help: 'for start: podman or docker; else the one that is there' },
  },
  examples: [
    'zos container start',
    'zos container shell -- gcc --version',
    'zos container build',
    'zos container stop',
  ],
  run: async (cli, [word = '', ...rest], given) => {
    const known = words.find((one): one is Word => one === word)
    if (!known)
      throw new ZosError(
        'CLI_CONTAINER',
        `zos container ${word || '…'}: expected ${words.join(', ')}${didYouMean(word, words)}`,
        {
          hint: 'zos container --help',
          exit: ExitCode.usage,
        },
      )
    const config = await configOf(cli, given)
    if (known === 'start') return start(cli, config, given)
    if (known === 'stop') return stop(cli, config, given)
    if (known === 'shell') return shell(cli, config, rest)
    await buildConfig(cli, config, given, rest, undefined, undefined, await running(cli, config))
    return ExitCode.ok
  },
}
