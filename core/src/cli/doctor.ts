import { ExitCode, isZosError } from '../error.js'
import { defaultExecutor } from '../exec/executor.js'
import { findTool } from '../exec/identity.js'
import { toolPath } from '../exec/toolchain.js'
import { runProcess } from '../io/process.js'
import type { Need } from '../model/toolchain.js'
import { table } from '../report/words.js'
import { type Cli, type CliCommand, configOptions } from './command.js'
import { configOf } from './session.js'

/** Where an engine of containers runs the actions, bubblewrap is not needed. */
const coreNeeds = (executor: string | undefined): readonly Need[] => [
  { tool: 'bwrap', version: '0.8', install: 'apt-get install bubblewrap', optional: isEngine(executor) },
  { tool: 'git', version: '2.30', install: 'apt-get install git' },
]

const isEngine = (executor: string | undefined): boolean => executor === 'podman' || executor === 'docker'

interface Verdict {
  readonly state: 'ok' | 'miss' | 'old'
  readonly tool: string
  readonly found: string
  readonly by: string
  readonly install: string
  readonly optional: boolean
}

/** `-1`, `0`, `1` for dotted numbers. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number))
  for (let index = 0; index < Math.max(left!.length, right!.length); index++) {
    const difference = (left![index] ?? 0) - (right![index] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}

const versionOf = async (cli: Cli, path: string): Promise<string | undefined> => {
  try {
    const { stdout, stderr } = await runProcess({
      file: path,
      args: ['--version'],
      env: { PATH: cli.env.PATH ?? '', LANG: 'C.UTF-8' },
      cwd: '/',
      signal: AbortSignal.timeout(5000),
    })
    return /\d+(\.\d+)+/.exec(`${stdout.toString('utf8')} ${stderr}`)?.[0]
  } catch {
    return undefined
  }
}

const judge = async (cli: Cli, { tool, version, install, optional = false }: Need, by: string): Promise<Verdict> => {
  const path = findTool(tool, toolPath(cli.env))
  if (!path) return { state: 'miss', tool: version ? `${tool} ≥ ${version}` : tool, found: '', by, install, optional }
  const found = (await versionOf(cli, path)) ?? ''
  const isOld = version !== undefined && found !== '' && compareVersions(found, version) < 0
  return { state: isOld ? 'old' : 'ok', tool: isOld ? `${tool} ≥ ${version}` : tool, found, by, install, optional }
}

export const doctorCommand: CliCommand = {
  name: 'doctor',
  summary: 'Says which programs of the host the config needs, and how to get those that are missing.',
  options: configOptions,
  examples: ['zos doctor', 'zos doctor -c variants/quickstart.config.ts --json'],
  run: async (cli, _args, options) => {
    const { plugins, toolchain } = await configOf(cli, options)
    const executor = await defaultExecutor(toolchain !== undefined, cli.env).catch((error: unknown) => {
      if (isZosError(error)) return error
      throw error
    })
    const name = typeof executor === 'string' ? executor : undefined
    const needs = new Map<string, { need: Need; by: string[] }>()
    for (const [by, list] of [
      ['core', coreNeeds(name)] as const,
      ...plugins.map(({ id, definition }) => [id, definition.needs ?? []] as const),
    ])
      for (const need of list.filter(({ sandboxed }) => !sandboxed || toolchain === undefined))
        needs.set(need.tool, { need, by: [...(needs.get(need.tool)?.by ?? []), by] })
    const verdicts = await Promise.all([...needs.values()].map(({ need, by }) => judge(cli, need, by.join(', '))))
    const isBad = verdicts.some(({ state, optional }) => state !== 'ok' && !optional) || name === undefined
    if (options.json === true) {
      cli.out(
        `${JSON.stringify({ ok: !isBad, tools: verdicts, sandbox: name !== undefined, executor: name ?? null })}\n`,
      )
      return isBad ? ExitCode.host : ExitCode.ok
    }
    const fine = verdicts.filter(({ state }) => state === 'ok').map(({ tool, found }) => `${tool} ${found}`.trim())
    cli.out(`  ok    node ${process.versions.node} · ${fine.join(' · ')}\n`)
    const rows = verdicts
      .filter(({ state }) => state !== 'ok')
      .map(({ state, tool, found, by, install, optional }) => [
        `  ${state}`,
        `${tool}${found ? ` (found ${found})` : ''}`,
        `wanted by ${by}${optional ? ', optional' : ''}`,
        install,
      ])
    for (const line of table(rows)) cli.out(`${line}\n`)
    if (toolchain !== undefined)
      cli.out(`  ok    compilers come from ${toolchain.component} of the plugin ${toolchain.plugin}\n`)
    if (typeof executor !== 'string')
      cli.out(`  miss  sandbox  ${executor.message}\n        ${executor.hint.join('\n        ')}\n`)
    else cli.out(`  ok    sandbox (${executor}, no network inside)\n`)
    return isBad ? ExitCode.host : ExitCode.ok
  },
}
