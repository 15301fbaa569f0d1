import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { CommandContext, CommandProcess, Manifest, ManifestOutput } from '@zos/core'

type Spawn = CommandContext['spawn']
type Run = CommandContext['run']

/** What a test wants to see and say. */
export interface World {
  readonly folder: string
  readonly outputs?: readonly Partial<ManifestOutput>[]
  readonly options?: CommandContext['options']
  readonly json?: boolean
  readonly run?: Run
  readonly spawn?: Spawn
  readonly hostFiles?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const realRun: Run = async ({ file, args }) =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 128, stdout, stderr }))
  })

const realSpawn: Spawn = ({ file, args }, { onOutput, onError }): CommandProcess => {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdout.on('data', onOutput)
  child.stderr.on('data', onError)
  return {
    exit: new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code ?? 143))
    }),
    write: (data) => child.stdin.write(data),
    kill: (signal) => child.kill(signal),
  }
}

const notUsed = async (): Promise<never> => {
  throw new Error('zos run does not use this')
}

/** A context over a real folder; programs are real where the test brings none of its own. */
export const contextOf = (world: World): { ctx: CommandContext; out: () => string; err: () => string } => {
  let [out, err] = ['', '']
  const { hostFiles } = world
  const settings = { arch: 'x86_64', mode: 'debug', name: 'test', epoch: 0 } as const
  const outputs = (world.outputs ?? []).map((output) => ({
    ...{ sha256: '', size: 0, plugin: 'test', aliases: [], name: '', format: '' },
    ...output,
  }))
  const manifest: Manifest = { version: 1, ...settings, lock: '', toolchains: {}, actions: [], outputs }
  const ctx: CommandContext = {
    args: [],
    options: world.options ?? {},
    settings,
    outputFolder: world.folder,
    manifest: async () => (world.outputs ? manifest : undefined),
    json: world.json ?? false,
    isTerminal: false,
    signal: world.signal ?? new AbortController().signal,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    write: notUsed,
    now: () => performance.now(),
    env: () => undefined,
    plugins: () => [],
    lock: async () => undefined,
    fetching: () => Promise.reject(new Error('zos run fetches nothing')),
    secret: () => '',
    projectText: async () => undefined,
    objects: () => Promise.reject(new Error('zos run opens no store')),
    files: {
      exists: async (path) => (hostFiles && !path.startsWith(world.folder) ? path in hostFiles : existsSync(path)),
      text: async (path) =>
        hostFiles && !path.startsWith(world.folder) ? hostFiles[path] : readFile(path, 'utf8').catch(() => undefined),
      list: () => Promise.reject(new Error('zos run lists no folders')),
      copy: (from, to) =>
        hostFiles && !from.startsWith(world.folder) ? writeFile(to, hostFiles[from]!) : copyFile(from, to),
      remove: (path) => rm(path, { recursive: true, force: true }),
      makeFolder: async (path) => {
        await mkdir(path, { recursive: true })
      },
      write: (path, content) => writeFile(path, content),
      append: (path, content) => appendFile(path, content),
      bytes: notUsed,
      replace: notUsed,
      readFolder: notUsed,
      writeFolder: notUsed,
    },
    memory: { get: notUsed, set: notUsed },
    run: world.run ?? realRun,
    spawn: world.spawn ?? realSpawn,
    freePort: async (preferred) => preferred,
  }
  return { ctx, out: () => out, err: () => err }
}
