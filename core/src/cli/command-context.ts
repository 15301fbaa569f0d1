// What plugin commands get of the host.
import { type ChildProcess, spawn } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { constants as osConstants } from 'node:os'
import { join, relative } from 'node:path'
import type { CommandContext, CommandLock, CommandProcess } from '../command.js'
import { upwards } from '../config/root.js'
import { openSecret } from '../config/values.js'
import { ExitCode, ZosError } from '../error.js'
import { findTool } from '../exec/identity.js'
import { toolPath } from '../exec/toolchain.js'
import { readManifest } from '../io/output-folder.js'
import { LockBook } from '../model/lock.js'
import type { Descriptor } from '../plugin.js'
import type { Cli, OptionValues } from './command.js'
import { commandFiles } from './command-files.js'
import { commandMemory } from './command-memory.js'
import type { PluginCommand } from './plugin-commands.js'
import { configOf } from './session.js'

const exitOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(cause))
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? osConstants.signals[signal] : 0)))
  })

const start = (cli: Cli, { file, args }: { file: string; args: readonly string[] }): ChildProcess => {
  cli.signal.throwIfAborted()
  const path = findTool(file, toolPath(cli.env))
  if (!path)
    throw new ZosError('HOST_TOOL_MISSING', `the program ${file} is not there`, {
      hint: `install ${file}, or add its folder to PATH`,
      exit: ExitCode.host,
    })
  return spawn(path, [...args], { stdio: ['pipe', 'pipe', 'pipe'] })
}

const spawnProcess = (
  cli: Cli,
  command: { file: string; args: readonly string[] },
  { onOutput, onError, terminal }: Parameters<CommandContext['spawn']>[1],
): CommandProcess => {
  const child = start(cli, command)
  child.stdout!.on('data', onOutput)
  child.stderr!.on('data', onError)
  child.stdin!.on('error', () => undefined)
  const kill = (): void => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 5000).unref()
  }
  const last = (): void => {
    child.kill('SIGKILL')
  }
  cli.signal.addEventListener('abort', kill, { once: true })
  process.once('exit', last)
  const keys = (data: Buffer): void => {
    child.stdin!.write(data)
  }
  if (terminal && process.stdin.isTTY) {
    process.stdin.setRawMode(true)
    process.stdin.on('data', keys)
  }
  const exit = exitOf(child).finally(() => {
    cli.signal.removeEventListener('abort', kill)
    process.removeListener('exit', last)
    if (terminal && process.stdin.isTTY) {
      process.stdin.off('data', keys)
      process.stdin.setRawMode(false)
      process.stdin.pause()
    }
  })
  return {
    exit,
    write: (data) => {
      child.stdin!.write(data)
    },
    kill: (signal) => {
      child.kill(signal)
    },
  }
}

const noneIfMissing = (cause: NodeJS.ErrnoException): undefined => {
  if (cause.code !== 'ENOENT') throw cause
}

const portIsFree = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })

const lockOf = async (cli: Cli, options: OptionValues): Promise<CommandLock | undefined> => {
  const { lockFile, plugins, arch } = await configOf(cli, options)
  if (!existsSync(lockFile)) return undefined
  const file = relative(cli.cwd, lockFile) || lockFile
  const book = new LockBook(file, readFileSync(lockFile, 'utf8'), arch, cli.now())
  return { file, plugins: pluginsNamed(plugins), pin: (plugin, name) => book.entry(plugin, name)?.pin }
}

const pluginsNamed =
  (plugins: readonly Descriptor[]): CommandLock['plugins'] =>
  (name) =>
    plugins.filter(({ definition }) => definition.name === name).map(({ id, options: own }) => ({ id, options: own }))

export const commandContext = async (
  cli: Cli,
  command: PluginCommand,
  args: readonly string[],
  options: OptionValues,
): Promise<CommandContext> => {
  const config = command.config ? await configOf(cli, options) : undefined
  // Every file and request of a command listens.
  setMaxListeners(0, cli.signal)
  const outputFolder = config?.outputFolder ?? cli.cwd
  const { arch = 'x86_64', mode = 'debug', name = '' } = config ?? {}
  const settings = { arch, mode, name, epoch: 0 } as const
  return {
    args,
    options,
    settings,
    outputFolder,
    manifest: async () => readManifest(outputFolder),
    json: options.json === true,
    isTerminal: cli.isTerminal,
    signal: cli.signal,
    out: cli.out,
    err: cli.err,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    now: cli.now,
    env: (name) => cli.env[name],
    plugins: pluginsNamed(config?.plugins ?? []),
    lock: () => lockOf(cli, options),
    fetching: async (run) => {
      const { withFetching } = await import('./command-fetch.js')
      const root = config?.root ?? upwards(cli.cwd, 'package.json') ?? cli.cwd
      return withFetching(cli, root, settings, command.name, run)
    },
    secret: (value) => openSecret(value, cli.env),
    projectText: (path) => readFile(join(config?.root ?? cli.cwd, path), 'utf8').catch(noneIfMissing),
    objects: async (location) => {
      const { openObjects } = await import('../io/objects.js')
      return openObjects(config?.root ?? cli.cwd, location, cli.signal)
    },
    files: commandFiles(cli.now),
    memory: commandMemory(cli),
    run: async (program) => {
      const child = start(cli, program)
      child.stdin!.end()
      const output = { stdout: '', stderr: '' }
      child.stdout!.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')))
      child.stderr!.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')))
      return { exitCode: await exitOf(child), ...output }
    },
    spawn: (program, io) => spawnProcess(cli, program, io),
    freePort: async (preferred) => {
      const port = (await portIsFree(preferred)) ?? (await portIsFree(0))
      if (port !== undefined) return port
      throw new ZosError('PORT_NONE', 'no free TCP port on 127.0.0.1', { exit: ExitCode.host })
    },
  }
}
