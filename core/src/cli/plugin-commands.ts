// Commands that plugins bring: named in their package.json, loaded when called.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CommandDefinition } from '../command.js'
import { ExitCode } from '../error.js'
import { type Cli, configOptions, helpText, parseWords } from './command.js'
import { commandContext } from './command-context.js'

/** A command as its package declares it. */
export interface PluginCommand {
  readonly name: string
  readonly summary: string
  /** Absolute path of the module whose default export is the command. */
  readonly module: string
  readonly config: boolean
}

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
  readonly zos?: { readonly commands?: Record<string, { module: string; summary?: string; config?: boolean }> }
}

const read = (path: string): Manifest | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

/** Nearest folder at or above one that has a path. */
const above = (folder: string, path: string): string | undefined => {
  let at = folder
  while (!existsSync(join(at, path))) {
    if (dirname(at) === at) return undefined
    at = dirname(at)
  }
  return at
}

/**
 * Commands of the packages that the project at or above `cwd` depends on, and of its `@zos` packages; outside of a
 * project those of the packages that are installed beside the core.
 */
export const pluginCommands = (cwd: string): PluginCommand[] => {
  const root = above(cwd, 'node_modules') ?? above(import.meta.dirname, 'node_modules/@zos')
  if (root === undefined) return []
  const modules = join(root, 'node_modules')
  const manifest = read(join(root, 'package.json'))
  const scoped = existsSync(join(modules, '@zos'))
    ? readdirSync(join(modules, '@zos')).map((name) => `@zos/${name}`)
    : []
  const names = new Set([...scoped, ...Object.keys({ ...manifest?.dependencies, ...manifest?.devDependencies })])
  const found: PluginCommand[] = []
  for (const name of [...names].sort()) {
    const folder = join(modules, name)
    for (const [command, { module, summary = '', config = false }] of Object.entries(
      read(join(folder, 'package.json'))?.zos?.commands ?? {},
    ))
      found.push({ name: command, summary, module: join(folder, module), config })
  }
  return found
}

export const runPluginCommand = async (cli: Cli, command: PluginCommand, words: readonly string[]): Promise<number> => {
  const { default: definition } = (await import(pathToFileURL(command.module).href)) as { default: CommandDefinition }
  const options = { ...(command.config ? configOptions : { json: configOptions.json! }), ...definition.options }
  if (words.includes('--help') || words.includes('-h')) {
    cli.out(helpText({ name: command.name, ...definition, options }))
    return ExitCode.ok
  }
  const parsed = parseWords(command.name, words, options)
  return definition.run(await commandContext(cli, command, parsed.args, parsed.options))
}
