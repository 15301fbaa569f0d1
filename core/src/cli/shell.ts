import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { ExitCode, isZosError, ZosError } from '../error.js'
import { actionCapsule } from '../exec/action-files.js'
import { checkExecutor, executorCommand, executorOf } from '../exec/executor.js'
import { fileDigest, findTool, hostToolchain } from '../exec/identity.js'
import { toolPath } from '../exec/toolchain.js'
import { writeFolder } from '../io/folder-write.js'
import { type Capsule, commandLine, largestCapsule, parseCapsule } from '../model/capsule.js'
import { FileTree } from '../model/tree.js'
import { Store } from '../store/store.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { configOf, storeFolder } from './session.js'
import { buildsOf, recordOf, stepArgument, unknownStep } from './step-history.js'

/** Times of materialised inputs, as when the action ran: seconds since 1970. */
const inputTime = 315_532_800

const readCapsule = (cli: Cli, name: string): Capsule => {
  const file = resolve(cli.cwd, name)
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found?.isFile() || found.size > largestCapsule)
    throw new ZosError('CAPSULE_MISSING', `${name}: ${found ? 'this is no capsule' : 'no such file'}`, {
      exit: ExitCode.usage,
    })
  return parseCapsule(readFileSync(file, 'utf8'), name)
}

/** The capsule of a step: of the command that failed last, else of one that its last run asked for. */
const capsuleOfStep = async (
  cli: Cli,
  options: OptionValues,
  step: string,
): Promise<{ readonly store: Store; readonly capsule: Capsule }> => {
  const config = await configOf(cli, options)
  const store = Store.open(storeFolder(cli, config), cli.now)
  try {
    const builds = buildsOf(store, config)
    const last = builds.flatMap(({ steps }) => steps.filter((one) => one.step === step))
    if (last.length === 0) throw unknownStep(step, builds)
    const wanted = options.command as string | undefined
    const { failed, state } = last[0]!
    const file = failed === undefined ? undefined : actionCapsule(store.logFolder, config.name, step, failed)
    if (state === 'failed' && file && existsSync(file) && (wanted === undefined || wanted === failed))
      return { store, capsule: parseCapsule(readFileSync(file, 'utf8'), file) }
    const actions = last.flatMap((one) => recordOf(store, config, one)?.actions ?? [])
    const action = wanted === undefined ? actions[0] : actions.find(({ name }) => name === wanted)
    const names = [...new Set(actions.map(({ name }) => name))]
    if (!action)
      throw new ZosError(
        'SHELL_NONE',
        names.length > 0 ? `${step} runs no command ${wanted}` : `${step} runs no command`,
        {
          hint: names.length > 0 ? `its commands: ${names.join(', ')}` : `what it looked at: zos explain ${step}`,
          exit: ExitCode.usage,
        },
      )
    const stored = store.result('action', action.key) as { capsule?: Capsule } | undefined
    if (stored?.capsule) return { store, capsule: { ...stored.capsule, step } }
    throw new ZosError('SHELL_GONE', `the result of ${action.name} is gone from the store`, {
      hint: `run it again: zos build --rebuild-from=${step}`,
      exit: ExitCode.store,
    })
  } catch (error) {
    store.close()
    throw error
  }
}

const missingInput = (capsule: Capsule, digest: string, store: Store): ZosError =>
  new ZosError('CAPSULE_INPUT', `the store ${store.folder} has no content ${digest}, an input of ${capsule.step}`, {
    hint: 'name the store of the machine on which it ran, or a copy of it: ZOS_STORE=FOLDER zos shell --capsule FILE',
    exit: ExitCode.store,
  })

/** All inputs as a tree; one that is missing is an error before anything is written. */
const inputsOf = async (capsule: Capsule, store: Store): Promise<FileTree> => {
  const { blob } = capsule.input
  if (!store.blobs.has(blob)) throw missingInput(capsule, blob.sha256, store)
  const tree = FileTree.decode(await store.blobs.read(blob))
  for (const record of tree.records())
    if (record.kind === 'file' && !store.blobs.has(record.blob)) throw missingInput(capsule, record.blob.sha256, store)
  return tree
}

/** The root file system of the capsule's toolchain. */
const rootOf = async ({ toolchain: { root } }: Capsule, store: Store): Promise<FileTree | undefined> =>
  root && FileTree.decode(await store.blobs.read(root.blob))

/** Where this host has the toolchain's folders; another toolchain than that of the capsule is said. */
const foldersHere = async (cli: Cli, { toolchain, name }: Capsule): Promise<Readonly<Record<string, string>>> => {
  if (toolchain.root) return toolchain.folders
  try {
    const { identity, title, folders } = await hostToolchain(toolchain.spec, {
      path: toolPath(cli.env),
      digest: fileDigest,
    })
    if (identity !== toolchain.identity)
      cli.err(
        `warning TOOLCHAIN_DIFFERS ${name} ran with ${toolchain.title}; this host has ${title}${title === toolchain.title ? ' of another build' : ''}\n`,
      )
    return folders
  } catch (error) {
    if (!isZosError(error)) throw error
    cli.err(`warning TOOLCHAIN_DIFFERS ${name} ran with ${toolchain.title}; on this host: ${error.message}\n`)
    return toolchain.folders
  }
}

const enter = async (cli: Cli, store: Store, capsule: Capsule, words: readonly string[]): Promise<number> => {
  const executor = executorOf(capsule.executor)
  await checkExecutor(executor, cli.env)
  const tree = await inputsOf(capsule, store)
  const folder = store.workFolder('shell')
  await writeFolder(tree.records(), store.blobs, folder, { epoch: inputTime, from: store.blobs })
  const isTerminal = process.stdin.isTTY === true
  const env = {
    ...capsule.env,
    ...(cli.env.TERM && { TERM: cli.env.TERM }),
    PS1: `${capsule.step}:\\w\\$ `,
    ZOS_COMMAND: commandLine(capsule.command),
  }
  const root = await rootOf(capsule, store)
  const hasBash = root ? root.resolve('/bin/bash') !== undefined : findTool('bash', '/usr/bin:/bin') !== undefined
  const shell = hasBash ? ['bash', '--norc'] : ['sh']
  const world = { executor, store, env: cli.env, signal: cli.signal }
  const command = await executorCommand(world, {
    folder,
    cwd: capsule.cwd,
    command: words.length > 0 ? words : shell,
    env,
    toolchain: { folders: await foldersHere(cli, capsule), ...(root && { root }) },
    isTerminal,
    hasInput: true,
  })
  if (words.length === 0) {
    cli.err(
      `${capsule.step}: the sandbox of ${capsule.name}, ${tree.count} inputs in place${executor === 'host' ? ', on the bare host' : ', no network'}\n`,
    )
    if (capsule.failure) cli.err(`  it failed: ${capsule.failure.message}\n`)
    cli.err(
      `  the command: ${commandLine(capsule.command).slice(0, 200)}\n  run it: eval "$ZOS_COMMAND"; what you change here is not kept\n`,
    )
  }
  const child = spawn(findTool(command.file, toolPath(cli.env)) ?? command.file, [...command.args], {
    cwd: command.cwd,
    env: command.env,
    stdio: 'inherit',
  })
  return new Promise((done, fail) => {
    // Ctrl-C is for what runs inside.
    const stop = (): void => {
      if (!isTerminal) child.kill('SIGTERM')
    }
    cli.signal.addEventListener('abort', stop)
    child.once('error', fail)
    child.once('close', (code, signal) => done(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

export const shellCommand: CliCommand = {
  name: 'shell',
  summary: 'Opens a shell in the sandbox of a step, its inputs in place; of a step that failed, where it failed.',
  arguments: '[STEP] [-- COMMAND…]',
  options: {
    ...configOptions,
    command: {
      type: 'string',
      value: 'NAME',
      help: 'which of the step’s commands; else the one that failed, or the first',
    },
    capsule: {
      type: 'string',
      value: 'FILE',
      help: 'the capsule of a failed command, also of another machine; needs no config',
    },
  },
  examples: [
    'zos shell rust-musl/zinit',
    'zos shell rust-musl/zinit -- ls -l',
    'ZOS_STORE=/mnt/store zos shell --capsule failed.capsule.json',
  ],
  run: async (cli, args, options) => {
    const file = options.capsule as string | undefined
    if (file !== undefined) {
      const capsule = readCapsule(cli, file)
      const store = Store.open(
        cli.env.ZOS_STORE ? resolve(cli.cwd, cli.env.ZOS_STORE) : resolve(cli.cwd, '.zos'),
        cli.now,
      )
      try {
        return await enter(cli, store, capsule, args)
      } finally {
        store.close()
      }
    }
    const [step, ...words] = args
    const { store, capsule } = await capsuleOfStep(cli, options, stepArgument('shell', [step ?? '']))
    try {
      return await enter(cli, store, capsule, words)
    } finally {
      store.close()
    }
  },
}
