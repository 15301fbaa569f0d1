// Projects in temporary folders, and the real program run in them.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../dist/cli/program.js'

const core = fileURLToPath(new URL('..', import.meta.url))
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
export const program = join(core, 'dist/cli/main.js')

export interface Event {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: events of several shapes; each test knows the one that it looks at.
  readonly [key: string]: any
}

export interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  /** Added to an environment of PATH and HOME alone. */
  readonly env?: Readonly<Record<string, string>>
  /** Options of node itself. */
  readonly node?: readonly string[]
  /** Folder to start in, below the project. */
  readonly cwd?: string
  readonly uid?: number
  /** Octal digits; else that of the test's own process. */
  readonly umask?: string
  readonly onStart?: (child: ChildProcess) => void
}

/** A build told as JSON lines. */
export interface Built extends Run {
  readonly events: readonly Event[]
  /** Why each step ran, by step; steps from the store are not in it. */
  readonly ran: Readonly<Record<string, string>>
  readonly hits: readonly string[]
  /** The error's event, if it failed. */
  readonly error: Event | undefined
}

export const eventsOf = (out: string): Event[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event)

const folders: string[] = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Memory where there is some and programs may be run from it: a disk that others use makes each database slow. */
const memory = ((): string => {
  const probe = `/dev/shm/zos-probe-${process.pid}`
  try {
    writeFileSync(probe, '#!/bin/sh\n', { mode: 0o755 })
    execFileSync(probe)
    return '/dev/shm'
  } catch {
    return tmpdir()
  } finally {
    rmSync(probe, { force: true })
  }
})()

/** A folder that goes when the test file ends; `large` ones lie on the disk. */
export const temporaryFolder = (size: 'small' | 'large' = 'small'): string => {
  const folder = mkdtempSync(join(size === 'small' ? memory : tmpdir(), 'zos-project-'))
  folders.push(folder)
  return folder
}

export class Project {
  readonly root: string

  constructor(files: Readonly<Record<string, string>>, root = temporaryFolder()) {
    this.root = root
    this.write({ 'package.json': '{"name":"test","private":true,"type":"module"}', ...files })
    mkdirSync(join(root, 'node_modules/@zos'), { recursive: true })
    symlinkSync(core, join(root, 'node_modules/@zos/core'))
    symlinkSync(join(modules, 'valibot'), join(root, 'node_modules/valibot'))
  }

  path(name: string): string {
    return join(this.root, name)
  }

  /** Writes files with times in the past, so that their digests are remembered at once. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true })
      writeFileSync(this.path(name), content)
      utimesSync(this.path(name), 1_600_000_000, 1_600_000_000)
    }
  }

  /** Replaces text in a file; the text has to be there. */
  edit(name: string, from: string, to: string): void {
    const text = this.text(name)
    if (!text.includes(from)) throw new Error(`${name} has no ${from}`)
    this.write({ [name]: text.replace(from, to) })
  }

  text(name: string): string {
    return readFileSync(this.path(name), 'utf8')
  }

  bytes(name: string): Buffer {
    return readFileSync(this.path(name))
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true })
  }

  /**
   * Runs `zos` in this process: the whole command line but its start. A config and its plugins are loaded once a process,
   * so it is for projects whose code does not change.
   */
  async run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    const text = { out: '', err: '' }
    const code = await runProgram({
      words,
      cwd: this.root,
      env: { PATH: process.env.PATH, HOME: this.root, ...env },
      isTerminal: false,
      signal: new AbortController().signal,
      out: (more) => {
        text.out += more
      },
      err: (more) => {
        text.err += more
      },
      now: () => Date.now(),
    })
    return { code, ...text }
  }

  /** The error of a build in this process. */
  async failure(words: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Event> {
    const { out, err, code } = await this.run(['build', '--json', ...words], env)
    const error = eventsOf(out).find(({ event }) => event === 'error')
    if (!error || err !== '') throw new Error(`no error: ${code} ${err}\n${out}`)
    return { ...error, exit: code }
  }

  /** Runs `zos` with these words. */
  zos(
    words: readonly string[],
    { env = {}, node = [], cwd = '.', uid, umask, onStart }: RunOptions = {},
  ): Promise<Run> {
    return new Promise((resolve, reject) => {
      const command = [process.execPath, ...node, program, ...words]
      const masked = umask === undefined ? command : ['/bin/sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...command]
      const [file = '', ...args] = masked
      const child = spawn(file, args, {
        cwd: join(this.root, cwd),
        env: { PATH: process.env.PATH, HOME: this.root, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(uid !== undefined && { uid, gid: uid }),
      })
      let out = ''
      let err = ''
      child.stdout.setEncoding('utf8').on('data', (text) => {
        out += text
      })
      child.stderr.setEncoding('utf8').on('data', (text) => {
        err += text
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, out, err }))
      onStart?.(child)
    })
  }

  /** Runs `zos build --json`; every line has to be JSON. */
  async build(words: readonly string[] = [], options: RunOptions = {}): Promise<Built> {
    return builtOf(await this.zos(['build', '--json', ...words], options))
  }

  /** Builds, and fails where the build does. */
  async built(words: readonly string[] = [], options: RunOptions = {}): Promise<Built> {
    return succeeded(await this.build(words, options))
  }

  /** Builds in this process, and fails where the build does. */
  async quick(words: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Built> {
    return succeeded(builtOf(await this.run(['build', '--json', ...words], env)))
  }
}

const builtOf = (run: Run): Built => {
  if (run.err !== '') throw new Error(`stderr of zos: ${run.err}`)
  const events = eventsOf(run.out)
  const steps = events.filter(({ event }) => event === 'step')
  return {
    ...run,
    events,
    ran: Object.fromEntries(steps.filter(({ state }) => state === 'ran').map(({ id, why }) => [id, why])),
    hits: steps.filter(({ state, phase }) => state === 'hit' && phase !== 'fetch').map(({ id }) => id),
    error: events.find(({ event }) => event === 'error'),
  }
}

const succeeded = (built: Built): Built => {
  if (built.code === 0) return built
  throw new Error(`zos ended with ${built.code}: ${JSON.stringify(built.error)}`)
}

/** A config with plugins of a file beside it. */
export const configOf = (plugins: string, more = ''): string =>
  `import { defineConfig } from '@zos/core'
import * as local from './plugins.ts'
export default defineConfig({ name: 'demo', plugins: [${plugins}]${more} })
`

/** A file of plugins: the imports that they need, and theirs. */
export const pluginsFile = (code: string): string =>
  `import { definePlugin, git, http, path, ref, refOption, secretOption, wishToken } from '@zos/core'
import * as v from 'valibot'
const base = { version: '1.0.0', code: import.meta.url }
export const plugin = (name: string, apply: any, more: any = {}) =>
  definePlugin<any>()({ ...base, name, options: v.any(), apply, ...more })
${code}`
