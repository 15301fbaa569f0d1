// zos build with several config files: a process each, side by side; what two of them want is made by one, and the jobs
// are those of a pool that all of them, and the makes and cargos that they run, take from.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLimiter } from '../engine/limiter.js'
import { ExitCode, isZosError, ZosError } from '../error.js'
import { makeJobServer } from '../io/job-server.js'
import { runProcess } from '../io/process.js'
import type { Manifest } from '../model/manifest.js'
import { sizeText, table, timeText } from '../report/words.js'
import type { StepHistory } from '../store/records.js'
import type { Cli, OptionValues } from './command.js'
import { jobsOf } from './session.js'

const isConfigFile = (word: string): boolean => /\.config\.m?[jt]s$/.test(word)

/** Config files among the arguments of zos build; the others are outputs. */
export const configFilesIn = (args: readonly string[]): string[] => [...new Set(args.filter(isConfigFile))]

interface Outcome {
  readonly config: string
  /** Exit code. */
  readonly end: number
  readonly ms: number
  readonly manifest?: Manifest
  readonly steps?: readonly StepHistory[]
  /** Code and message of what failed. */
  readonly code?: string
  readonly message?: string
}

interface Said {
  readonly event: string
  readonly phase?: string
  readonly summary?: string
  readonly ms?: number
  readonly manifest?: Manifest
  readonly steps?: readonly StepHistory[]
  readonly code?: string
  readonly message?: string
}

/** Options that name one config, or say how many builds there are. */
const ownOptions = ['config', 'jobs', 'json', 'trace', 'clean']

const optionWords = (options: OptionValues): string[] =>
  Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false || ownOptions.includes(name)) return []
    return [value === true ? `--${name}` : `--${name}=${value}`]
  })

const refuse = (options: OptionValues): void => {
  for (const name of ['config', 'trace', 'clean'])
    if (options[name] !== undefined && options[name] !== false)
      throw new ZosError('CLI_USAGE', `--${name} is of one build; this command line names config files`, {
        hint: name === 'clean' ? 'zos clean --store, then zos build variants/*.config.ts' : 'zos build -c FILE',
        exit: ExitCode.usage,
      })
}

const parse = (line: string): Said | undefined => {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}

/** Builds one config in a process of its own; its failure is an outcome. */
const buildOne = async (
  cli: Cli,
  config: string,
  words: readonly string[],
  tell: (said: Said) => void,
  shared: Readonly<Record<string, string>>,
): Promise<Outcome> => {
  const { cwd, env, signal, now } = cli
  const inherited = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const started = now()
  let last: Said | undefined
  let end = 0
  const stray: string[] = []
  try {
    await runProcess({
      file: process.execPath,
      args: [...process.execArgv, process.argv[1] ?? '', 'build', '--config', config, '--json', ...words],
      env: { ...Object.fromEntries(inherited), ...shared },
      cwd,
      signal,
      stdout: 'lines',
      onLine: (line) => {
        const said = parse(line)
        if (!said) {
          stray.push(line)
          return
        }
        tell(said)
        last = said
      },
    })
  } catch (error) {
    signal.throwIfAborted()
    if (!isZosError(error) || typeof error.data.exitCode !== 'number') throw error
    end = error.data.exitCode
  }
  const { manifest, steps, code, message = stray.at(-1) } = last ?? {}
  return {
    config,
    end,
    ms: now() - started,
    ...(manifest && { manifest }),
    ...(steps && { steps }),
    ...(code !== undefined && { code }),
    ...(end !== 0 && message !== undefined && { message }),
  }
}

/** What people look for: the kernel with its initramfs, else the initramfs, else the largest output. */
const mainOutput = ({ outputs }: Manifest) =>
  outputs.find(({ name }) => name === 'vmlinuz.efi') ??
  outputs.find(({ format }) => format === 'initramfs') ??
  [...outputs].sort((a, b) => b.size - a.size)[0]

const rowOf = ({ config, end, ms, manifest, steps = [], code }: Outcome): string[] => {
  if (end !== 0) return [`  ${config}`, 'failed', timeText(ms), '', code ?? `exit code ${end}`]
  const ran = steps.filter(({ state }) => state === 'ran').length
  const output = manifest && mainOutput(manifest)
  const size = output ? `${output.name} ${sizeText(output.size)}` : ''
  return [`  ${config}`, 'built', timeText(ms), `${ran} of ${steps.length} steps run`, size]
}

/** Phases that took less are not told. Milliseconds. */
const longPhase = 1000

/** Tells what builds say, each line with its config; a warning that several have is told once. */
const teller = (cli: Cli, isJson: boolean) => {
  const warned = new Set<string>()
  return (config: string, said: Said): void => {
    const { event, phase, summary, ms = 0, code = '', message = '' } = said
    if (isJson) cli.out(`${JSON.stringify({ config, ...said })}\n`)
    else if (event === 'phase' && ms >= longPhase) cli.out(`  ${config}: ${phase}: ${summary}, ${timeText(ms)}\n`)
    else if (event === 'warning' && !warned.has(`${code} ${message}`)) {
      warned.add(`${code} ${message}`)
      cli.out(`  ${config}: warning ${code}: ${message}\n`)
    }
  }
}

/** Builds several configs; gives the exit code of the first, in their order, that failed. */
export const buildMany = async (cli: Cli, args: readonly string[], options: OptionValues): Promise<number> => {
  refuse(options)
  const configs = configFilesIn(args)
  const outputs = args.filter((word) => !isConfigFile(word))
  const jobs = jobsOf(options.jobs)
  const atOnce = Math.min(jobs, configs.length)
  const words = [...outputs, `--jobs=${jobs}`, ...optionWords(options)]
  const isJson = options.json === true
  const limited = createLimiter(atOnce)
  const folder = mkdtempSync(join(tmpdir(), 'zos-jobs-'))
  const pool = join(folder, 'pool')
  // Each build that runs has one slot of its own.
  const server = await makeJobServer(pool, jobs - atOnce, cli.env, cli.signal)
  if (!isJson) cli.out(`${configs.length} config${configs.length === 1 ? '' : 's'}, ${atOnce} at once\n`)
  const shared = { ZOS_JOB_SERVER: pool, ZOS_LOCK_TIME: String(cli.now()), ZOS_PARENT: String(process.pid) }
  const tell = teller(cli, isJson)
  let [done, waiting] = [0, configs.length - atOnce]
  const build = async (config: string): Promise<Outcome> => {
    cli.signal.throwIfAborted()
    const outcome = await buildOne(cli, config, words, (said) => tell(config, said), shared)
    if (waiting-- <= 0) server.give()
    const { end, ms, message = '' } = outcome
    done++
    const what = end === 0 ? `built, ${timeText(ms)}` : `failed, ${timeText(ms)}: ${message.split('\n')[0]}`
    if (!isJson) cli.out(`  ${done}/${configs.length} ${config}: ${what}\n`)
    return outcome
  }
  let outcomes: Outcome[]
  try {
    const ended = await Promise.allSettled(configs.map((config) => limited(() => build(config))))
    outcomes = ended.map((one) => {
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
  } finally {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const failed = outcomes.filter(({ end }) => end !== 0)
  if (isJson) cli.out(`${JSON.stringify({ event: 'builds', builds: outcomes.map(({ steps: _, ...one }) => one) })}\n`)
  else {
    cli.out(`${table(outcomes.map(rowOf)).join('\n')}\n`)
    cli.out(`${outcomes.length - failed.length} built, ${failed.length} failed\n`)
    if (failed[0]) cli.out(`  hint: why: ${['zos build -c', failed[0].config, ...outputs].join(' ')}\n`)
  }
  return failed[0]?.end ?? ExitCode.ok
}
