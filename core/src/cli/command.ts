// What a command of the CLI is, and how its words are read.
import { parseArgs } from 'node:util'
import type { CommandOption } from '../command.js'
import { didYouMean } from '../config/closest.js'
import { ExitCode, ZosError } from '../error.js'

export type OptionValues = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

/** A command as `zos --help` and the parser see it. */
export interface CliCommand {
  readonly name: string
  readonly summary: string
  readonly arguments?: string
  readonly options: Readonly<Record<string, CommandOption>>
  readonly examples: readonly string[]
  run(cli: Cli, args: readonly string[], options: OptionValues): Promise<number>
}

/** The process around a command. */
export interface Cli {
  /** The command line after the program's name. */
  readonly words: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTerminal: boolean
  readonly signal: AbortSignal
  out(text: string): void
  err(text: string): void
  now(): number
}

/** Options that every command with a config has. */
export const configOptions: Readonly<Record<string, CommandOption>> = {
  config: { type: 'string', value: 'FILE', help: 'config file (-c); else zos.config.ts here or in a folder above' },
  mode: { type: 'string', value: 'MODE', help: 'debug or release; else BUILDMODE, else debug' },
  arch: { type: 'string', value: 'ARCH', help: 'x86_64 or aarch64; else TARGETARCH, else the config’s' },
  json: { type: 'boolean', help: 'one JSON object a line' },
}

export const parseWords = (
  command: string,
  words: readonly string[],
  options: Readonly<Record<string, CommandOption>>,
): { args: string[]; options: OptionValues } => {
  const known: Readonly<Record<string, CommandOption>> = { ...options, help: { type: 'boolean', help: 'this text' } }
  const shorts: Record<string, string> = { config: 'c', jobs: 'j', help: 'h' }
  // What follows `--` is another's.
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words
  for (const word of own) {
    const name = /^--(?:no-)?([^=]+)/.exec(word)?.[1]
    if (name !== undefined && !(name in known))
      throw new ZosError(
        'CLI_OPTION',
        `zos ${command} has no option --${name}${didYouMean(name, Object.keys(known))}`,
        {
          hint: `zos ${command} --help`,
          exit: ExitCode.usage,
        },
      )
  }
  try {
    const { values, positionals } = parseArgs({
      args: words.map((word) => {
        const bare = word.startsWith('--') ? known[word.slice(2)]?.bare : undefined
        return bare === undefined ? word : `${word}=${bare}`
      }),
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(known).map(([name, { type, multiple = false, short = shorts[name] }]) => [
          name,
          { type: type === 'boolean' ? ('boolean' as const) : ('string' as const), multiple, ...(short && { short }) },
        ]),
      ),
    })
    const typed = Object.entries(values as Record<string, string | boolean | string[]>).map(([name, value]) => {
      if (known[name]?.type !== 'number') return [name, value]
      const number = Number(value)
      if (!Number.isInteger(number) || number < 0)
        throw new ZosError('CLI_NUMBER', `--${name} ${value}: expected a whole number`, { exit: ExitCode.usage })
      return [name, number]
    })
    return { args: positionals, options: Object.fromEntries(typed) }
  } catch (cause) {
    if (cause instanceof ZosError) throw cause
    throw new ZosError('CLI_USAGE', (cause as Error).message, { hint: `zos ${command} --help`, exit: ExitCode.usage })
  }
}

/** The text of `zos COMMAND --help`. */
export const helpText = ({
  name,
  summary,
  arguments: positional,
  options,
  examples,
}: Omit<CliCommand, 'run'>): string => {
  const rows = Object.entries(options).map(([option, { type, multiple, value, bare, help }]) => {
    const shown = value ?? 'VALUE'
    const argument = type === 'boolean' ? '' : bare === undefined ? ` ${shown}` : `[=${shown}]`
    const flag = `--${option}${argument}${multiple ? '…' : ''}`
    return `  ${flag.padEnd(26)} ${help}`
  })
  return [
    `zos ${name}${positional ? ` ${positional}` : ''}${rows.length > 0 ? ' [OPTIONS]' : ''}`,
    `  ${summary}`,
    ...(rows.length > 0 ? ['', ...rows] : []),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
  ].join('\n')
}
