import type { CommandOption } from '../command.js'
import { didYouMean } from '../config/closest.js'
import { ExitCode, ZosError } from '../error.js'
import type { CliCommand } from './command.js'

/** A command as completions know it; those of plugins have only a name. */
export interface Completed {
  readonly name: string
  readonly summary: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** What its arguments are: names of steps, files, words of its own, or nothing that can be told. */
  readonly operands: 'steps' | 'files' | readonly string[]
}

const shells = ['bash', 'zsh', 'fish'] as const

/** Values of options that are one of a few. */
const choices: Readonly<Record<string, readonly string[]>> = {
  mode: ['debug', 'release'],
  arch: ['x86_64', 'aarch64'],
  executor: ['bubblewrap', 'podman', 'docker', 'host'],
  format: ['mermaid', 'dot', 'json', 'svg'],
}
/** Options whose values are files. */
const files = ['config', 'output', 'capsule', 'trace']

/** Prints the names of the last build's steps, one a line. */
const listSteps = `zos steps --json 2>/dev/null | grep -o '"step":"[^"]*"' | cut -d'"' -f4 | sort -u`

const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

const bash = (commands: readonly Completed[]): string => {
  const cases = commands.map(({ name, options, operands }) => {
    const flags = Object.keys(options).map((option) => `--${option}`)
    const words = Array.isArray(operands) ? operands.join(' ') : ''
    const rest =
      operands === 'steps'
        ? `mapfile -t words < <(${listSteps}); COMPREPLY=(); for word in "\${words[@]}"; do [[ $word == "$current"* ]] && COMPREPLY+=("$(printf %q "$word")"); done`
        : operands === 'files'
          ? 'COMPREPLY=($(compgen -f -- "$current"))'
          : `COMPREPLY=($(compgen -W ${single(words)} -- "$current"))`
    return `    ${name}) if [[ $current == -* ]]; then COMPREPLY=($(compgen -W ${single([...flags, '--help'].join(' '))} -- "$current")); else ${rest}; fi ;;`
  })
  return [
    '# bash completion of zos: source <(zos completions bash)',
    '_zos() {',
    `  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words word`,
    '  case $before in',
    ...Object.entries(choices).map(
      ([name, values]) =>
        `    --${name}) COMPREPLY=($(compgen -W ${single(values.join(' '))} -- "$current")); return ;;`,
    ),
    `    -c|${files.map((name) => `--${name}`).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
    '  esac',
    '  if ((COMP_CWORD == 1)); then',
    `    COMPREPLY=($(compgen -W ${single([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$current"))`,
    '    return',
    '  fi',
    `  case \${COMP_WORDS[1]} in`,
    ...cases,
    '  esac',
    '}',
    'complete -o filenames -F _zos zos',
    '',
  ].join('\n')
}

const zshText = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&')

const zsh = (commands: readonly Completed[]): string => {
  const action = (name: string): string =>
    choices[name] ? `(${choices[name].join(' ')})` : files.includes(name) ? '_files' : ' '
  const cases = commands.map(({ name, options, operands }) => {
    const flags = Object.entries(options).map(([option, { type, help, value = 'VALUE' }]) =>
      single(`--${option}[${zshText(help)}]${type === 'boolean' ? '' : `:${zshText(value)}:${action(option)}`}`),
    )
    const rest =
      operands === 'steps'
        ? '*:step:_zos_steps'
        : operands === 'files'
          ? '*:file:_files'
          : `*: :(${operands.join(' ')})`
    return `    ${name}) _arguments ${[...flags, single(rest)].join(' ')} ;;`
  })
  return [
    '#compdef zos',
    `# zsh completion of zos: zos completions zsh > "\${fpath[1]}/_zos"`,
    '_zos_steps() {',
    '  local -a steps',
    `  steps=("\${(@f)$(${listSteps})}")`,
    '  compadd -a steps',
    '}',
    '_zos() {',
    '  local -a commands',
    `  commands=(${commands.map(({ name, summary }) => single(`${name}:${zshText(summary)}`)).join(' ')})`,
    '  if ((CURRENT == 2)); then',
    '    _describe command commands',
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words; ((CURRENT--))',
    '  case $command in',
    ...cases,
    '  esac',
    '}',
    `if [[ \${funcstack[1]} == _zos ]]; then _zos "$@"; else compdef _zos zos; fi`,
    '',
  ].join('\n')
}

const fish = (commands: readonly Completed[]): string =>
  [
    '# fish completion of zos: zos completions fish > ~/.config/fish/completions/zos.fish',
    'complete -c zos -f',
    ...commands.flatMap(({ name, summary, options, operands }) => {
      const within = `-n '__fish_seen_subcommand_from ${name}'`
      return [
        `complete -c zos -n __fish_use_subcommand -a ${name} -d ${single(summary)}`,
        ...Object.entries(options).map(([option, { type, help }]) => {
          const value =
            type === 'boolean'
              ? ''
              : choices[option]
                ? ` -x -a ${single(choices[option].join(' '))}`
                : files.includes(option)
                  ? ' -r -F'
                  : ' -x'
          return `complete -c zos ${within} -l ${option}${value} -d ${single(help)}`
        }),
        ...(operands === 'steps' ? [`complete -c zos ${within} -a ${single(`(${listSteps})`)}`] : []),
        ...(operands === 'files' ? [`complete -c zos ${within} -F`] : []),
        ...(Array.isArray(operands) && operands.length > 0
          ? [`complete -c zos ${within} -a ${single(operands.join(' '))}`]
          : []),
      ]
    }),
    '',
  ].join('\n')

const writers = { bash, zsh, fish } as const

const ofSteps = ['explain', 'log', 'shell']

export const completionsCommand: CliCommand = {
  name: 'completions',
  summary: 'Prints what makes a shell complete commands, options and steps.',
  arguments: 'bash|zsh|fish',
  options: {},
  examples: ['source <(zos completions bash)', 'zos completions fish > ~/.config/fish/completions/zos.fish'],
  run: async (cli, [shell = '']) => {
    const name = shells.find((one) => one === shell)
    if (!name)
      throw new ZosError(
        'CLI_SHELL',
        `zos completions ${shell || '…'}: expected ${shells.join(', ')}${didYouMean(shell, shells)}`,
        {
          hint: 'source <(zos completions bash)',
          exit: ExitCode.usage,
        },
      )
    const { listCommands } = await import('./commands.js')
    const { pluginCommands } = await import('./plugin-commands.js')
    const own = (await listCommands()).map(({ name: command, summary, options }): Completed => {
      const operands = ofSteps.includes(command)
        ? 'steps'
        : command === 'completions'
          ? shells
          : command === 'container'
            ? ['start', 'shell', 'build', 'stop']
            : command === 'diff'
              ? 'files'
              : []
      return { name: command, summary, options, operands }
    })
    // Commands of several words, such as `flist pack`: the first, then the others.
    const words = new Map<string, string[]>()
    const summaries = new Map<string, string>()
    for (const { name: command, summary } of pluginCommands(cli.cwd)) {
      const [first = '', ...rest] = command.split(' ')
      words.set(first, [...(words.get(first) ?? []), ...rest])
      summaries.set(first, rest.length > 0 ? 'several commands' : summary)
    }
    const others = [...words].map(
      ([first, operands]): Completed => ({ name: first, summary: summaries.get(first)!, options: {}, operands }),
    )
    cli.out(writers[name]([...own, ...others]))
    return ExitCode.ok
  },
}
