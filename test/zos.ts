// The built CLI, as people run it: a process with a time limit.
import { spawn } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest, ManifestOutput } from '@zos/core'
import * as assert from 'uvu/assert'

export const project = dirname(dirname(fileURLToPath(import.meta.url)))

export interface Ended {
  /** Exit code; a signal's name where one ended it. */
  readonly end: number | string
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  /** What Ctrl-C does. */
  interrupt(): void
  readonly ended: Promise<Ended>
  /** First line of its standard output, once it is whole. */
  readonly firstLine: Promise<string>
}

/** Store of the checkout, as the environment may name it; a copy of the project has its own. */
export const storeOf = (folder: string): string =>
  folder === project ? resolve(project, process.env.ZOS_STORE || '.zos') : join(folder, '.zos')

/** Seconds from TERM to KILL. */
const patience = 10

/** Starts a program that gets TERM after `limit` seconds, and KILL later. */
export const start = (
  file: string,
  args: readonly string[],
  cwd: string,
  limit: number,
  more: Readonly<Record<string, string>> = {},
): Running => {
  const env = { ...process.env, ZOS_STORE: storeOf(cwd), ...more }
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), limit * 1000),
    setTimeout(() => child.kill('SIGKILL'), (limit + patience) * 1000),
  ]
  let [stdout, stderr] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      if (stdout.includes('\n')) resolve(stdout.slice(0, stdout.indexOf('\n')))
    })
    child.on('close', () => reject(new Error(`${file} ended without a line:\n${stdout}${stderr}`)))
  })
  firstLine.catch(() => undefined)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ end: code ?? String(signal), stdout, stderr })
    })
  })
  return { ended, firstLine, interrupt: () => child.kill('SIGINT') }
}

/** A program that has to end well. */
export const succeed = async (file: string, args: readonly string[], cwd: string, limit: number): Promise<Ended> => {
  const ended = await start(file, args, cwd, limit).ended
  assert.is(ended.end, 0, `${file} ${args.join(' ')} in ${cwd}: ${ended.end}\n${ended.stdout}${ended.stderr}`)
  return ended
}

export const cli = join(project, 'core/dist/cli/main.js')

export const startZos = (
  args: readonly string[],
  cwd: string,
  limit: number,
  env: Readonly<Record<string, string>> = {},
): Running => start(process.execPath, [cli, ...args], cwd, limit, env)

export const zos = (args: readonly string[], cwd: string, limit: number): Promise<Ended> =>
  succeed(process.execPath, [cli, ...args], cwd, limit)

export interface Step {
  readonly step: string
  readonly phase: string
  readonly state: 'hit' | 'ran' | 'failed'
  readonly why: readonly string[]
}

/** What a build that went well says at its end, as `--json`. */
export interface Build {
  readonly manifest: Manifest
  readonly steps: readonly Step[]
}

export const build = async (config: string, cwd: string, limit: number, ...more: string[]): Promise<Build> => {
  const { stdout } = await zos(['build', '-c', config, '--json', ...more], cwd, limit)
  const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Build & { event: string }
  assert.is(last.event, 'finish')
  return last
}

/** The one output of a format. */
export const outputOf = ({ manifest }: Build, format: string): ManifestOutput => {
  const found = manifest.outputs.find((one) => one.format === format)
  assert.ok(found, `no output of format ${format} among ${manifest.outputs.map(({ name }) => name)}`)
  return found
}

/** `phase step` of the steps that ran, in order of their names. */
export const ranIn = ({ steps }: Build): string[] =>
  steps.flatMap(({ step, phase, state }) => (state === 'hit' ? [] : [`${phase} ${step}`])).sort()

/** Expects that these steps ran, and no others but those of the phase `besides`; else says why each did. */
export const expectRan = (build: Build, expected: readonly string[], besides?: string): void => {
  const ran = ranIn(build).filter((step) => besides === undefined || !step.startsWith(`${besides} `))
  const reasons = build.steps.flatMap(({ step, phase, why }) =>
    why.length > 0 ? [`  ${phase} ${step}: ${why.join('; ')}`] : [],
  )
  assert.equal(ran, expected, `expected to run: ${expected.join(', ') || 'nothing'}; ran:\n${reasons.join('\n')}`)
}
