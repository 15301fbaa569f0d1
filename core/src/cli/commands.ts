// The list of commands; each module is loaded when its command is called.
import { didYouMean } from '../config/closest.js'
import { ExitCode, ZosError } from '../error.js'
import { type Cli, type CliCommand, helpText, parseWords } from './command.js'

interface Listed {
  readonly summary: string
  load(): Promise<CliCommand>
}

const commands: Readonly<Record<string, Listed>> = {
  init: { summary: 'start a project here', load: async () => (await import('./init.js')).initCommand },
  build: { summary: 'build the image', load: async () => (await import('./build.js')).buildCommand },
  publish: {
    summary: 'send the outputs to the targets of the config',
    load: async () => (await import('./publish.js')).publishCommand,
  },
  steps: {
    summary: 'show every step of the last build, and why it ran',
    load: async () => (await import('./steps.js')).stepsCommand,
  },
  plan: { summary: 'say what a build would run, and why', load: async () => (await import('./plan.js')).planCommand },
  explain: { summary: 'say why a step ran', load: async () => (await import('./explain.js')).explainCommand },
  why: {
    summary: 'say what put a file of the image there',
    load: async () => (await import('./why.js')).whyCommand,
  },
  graph: { summary: 'draw what hangs on what', load: async () => (await import('./graph.js')).graphCommand },
  diff: {
    summary: 'say what differs between builds, images or locks',
    load: async () => (await import('./diff.js')).diffCommand,
  },
  size: {
    summary: 'say where the bytes of the compressed image go',
    load: async () => (await import('./size.js')).sizeCommand,
  },
  log: { summary: 'print what a step’s commands printed', load: async () => (await import('./log.js')).logCommand },
  shell: {
    summary: 'open a shell in the sandbox of a step',
    load: async () => (await import('./shell.js')).shellCommand,
  },
  container: {
    summary: 'keep a container for builds: start, shell, build, stop',
    load: async () => (await import('./container.js')).containerCommand,
  },
  lock: { summary: 'bring the lock up to date', load: async () => (await import('./lock.js')).lockCommand },
  update: { summary: 'move pins of the lock', load: async () => (await import('./lock.js')).updateCommand },
  config: { summary: 'print the effective config', load: async () => (await import('./config.js')).configCommand },
  doctor: {
    summary: 'say which tools of the host are missing',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
  completions: {
    summary: 'print completions for a shell',
    load: async () => (await import('./completions.js')).completionsCommand,
  },
  gc: { summary: 'make the store smaller', load: async () => (await import('./gc.js')).gcCommand },
  clean: {
    summary: 'remove outputs, or with --store everything',
    load: async () => (await import('./clean.js')).cleanCommand,
  },
}

/** A row a command; commands of one first word, such as `flist pack`, share one. */
const familiesIn = (found: readonly { readonly name: string; readonly summary: string }[]): string[][] => {
  const rows = new Map<string, string>()
  for (const { name, summary } of found) {
    const [first = '', second] = name.split(' ')
    const before = rows.get(first)
    rows.set(first, second === undefined ? summary : before === undefined ? second : `${before}, ${second}`)
  }
  return [...rows]
}

/** All commands of the core, loaded. */
export const listCommands = (): Promise<CliCommand[]> => Promise.all(Object.values(commands).map(({ load }) => load()))

const overview = async (cli: Cli): Promise<string> => {
  const { pluginCommands } = await import('./plugin-commands.js')
  const rows = [
    ...Object.entries(commands).map(([name, { summary }]) => [name, summary]),
    ...familiesIn(pluginCommands(cli.cwd)),
  ]
  return [
    'zos: builds bootable Linux images from one typed config',
    '',
    ...rows.map(([name = '', summary]) => `  ${name.padEnd(11)} ${summary}`),
    '',
    'zos COMMAND --help says more, zos --version which zos this is.',
    'Start with: zos init, or zos build -c variants/quickstart.config.ts',
    '',
  ].join('\n')
}

/** What is said to `zos flist` alone, where its commands are `zos flist pack` and so on. */
const familyOf = (
  cli: Cli,
  name: string,
  family: readonly { readonly name: string; readonly summary: string }[],
  word: string | undefined,
): number => {
  const rows = family.map((one) => `  ${one.name.slice(name.length + 1).padEnd(10)} ${one.summary}`)
  const isAsked = word === undefined || word === '--help' || word === '-h'
  if (!isAsked)
    throw new ZosError(
      'CLI_COMMAND',
      `zos ${name} has no command ${word}${didYouMean(
        word,
        family.map((one) => one.name.slice(name.length + 1)),
      )}`,
      { hint: `zos ${name} --help`, exit: ExitCode.usage },
    )
  cli.out([`zos ${name} COMMAND`, '', ...rows, '', `zos ${name} COMMAND --help says more.`, ''].join('\n'))
  return word === undefined ? ExitCode.usage : ExitCode.ok
}

/** Runs one command; gives the exit code. */
export const runCli = async (cli: Cli, words: readonly string[]): Promise<number> => {
  const [name = '', ...rest] = words
  if (name === '' || name === '--help' || name === '-h' || name === 'help') {
    cli.out(await overview(cli))
    return name === '' ? ExitCode.usage : ExitCode.ok
  }
  if (name === '--version') {
    const { version } = await import('../version.js')
    cli.out(`zos ${version}\n`)
    return ExitCode.ok
  }
  // People know the state of all steps under this name.
  if (name === '--show-stages') return runCli(cli, ['steps', '--stages', ...rest])
  if (name === 'build') {
    const { upToDate } = await import('./fresh.js')
    const line = upToDate(cli, rest)
    if (line !== undefined) {
      cli.out(`${line}\n`)
      return ExitCode.ok
    }
  }
  const listed = commands[name]
  if (!listed) {
    const { pluginCommands, runPluginCommand } = await import('./plugin-commands.js')
    const found = pluginCommands(cli.cwd)
    const own = found.find((command) => command.name === name)
    if (own) return runPluginCommand(cli, own, rest)
    const family = found.filter((command) => command.name.startsWith(`${name} `))
    if (family.length > 0) {
      const member = family.find((command) => command.name === `${name} ${rest[0]}`)
      if (member) return runPluginCommand(cli, member, rest.slice(1))
      return familyOf(cli, name, family, rest[0])
    }
    throw new ZosError(
      'CLI_COMMAND',
      `zos has no command ${name}${didYouMean(name, [...Object.keys(commands), ...found.map((one) => one.name)])}`,
      {
        hint: 'zos --help',
        exit: ExitCode.usage,
      },
    )
  }
  const command = await listed.load()
  if (rest.includes('--help') || rest.includes('-h')) {
    cli.out(helpText(command))
    return ExitCode.ok
  }
  const { args, options } = parseWords(name, rest, command.options)
  return command.run(cli, args, options)
}
