import { type Changed, type Comparison, compare, type FileDifference } from '../diff/compare.js'
import { keptBuilds } from '../diff/keep-build.js'
import { buildSnapshot, pathSnapshot, type Snapshot } from '../diff/snapshot.js'
import { ExitCode, ZosError } from '../error.js'
import type { Entry } from '../model/entry.js'
import { lineChangeTexts } from '../report/line-changes.js'
import { sizeText, table } from '../report/words.js'
import { Store } from '../store/store.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { configOf, storeFolder } from './session.js'

const isBuild = (name: string): boolean => /^@\d+$/.test(name)

const snapshotsOf = async (cli: Cli, options: OptionValues, names: readonly string[]): Promise<Snapshot[]> => {
  // Files alone need no config.
  if (!names.some(isBuild)) return Promise.all(names.map((name) => pathSnapshot(cli.cwd, name)))
  const config = await configOf(cli, options)
  const store = Store.open(storeFolder(cli, config), cli.now)
  try {
    const builds = keptBuilds(store, `${config.name}/${config.arch}`)
    const sides = names.map((name) =>
      isBuild(name) ? buildSnapshot(store, builds, name) : pathSnapshot(cli.cwd, name),
    )
    return await Promise.all(sides)
  } finally {
    store.close()
  }
}

const shortened = (value: string | null): string =>
  value === null ? 'none' : /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 8)}…` : value

const changedLines = (list: readonly Changed[], most: number): string[] => [
  ...table(
    list.slice(0, most).map(({ name, before, after }) => {
      const what =
        before === null
          ? `new: ${shortened(after)}`
          : after === null
            ? `gone: ${shortened(before)}`
            : `${shortened(before)} → ${shortened(after)}`
      return [`  ${name}`, what]
    }),
  ),
  ...(list.length > most ? [`  and ${list.length - most} more`] : []),
]

const size = (entry: Entry | undefined): string =>
  entry?.kind === 'file' ? sizeText(entry.blob.size) : (entry?.kind ?? '')
const owner = ({ mode, uid, gid }: Entry): string => `${mode.toString(8).padStart(4, '0')} ${uid}:${gid}`

const fileWords = ({ change, before, after }: FileDifference): string => {
  if (change === 'new') return `new, ${size(after)}`
  if (change === 'gone') return `gone, ${size(before)}`
  if (change === 'kind') return `${before?.kind} → ${after?.kind}`
  const words: string[] = []
  if (change === 'content') {
    if (before?.kind === 'symlink' && after?.kind === 'symlink') words.push(`${before.target} → ${after.target}`)
    else words.push(size(before) === size(after) ? `content, ${size(after)}` : `${size(before)} → ${size(after)}`)
  }
  if (before && after && owner(before) !== owner(after)) words.push(`${owner(before)} → ${owner(after)}`)
  return words.join(', ') || 'attributes'
}

const mostFiles = 60
const mostLines = 4

const fileLines = (files: readonly FileDifference[]): string[] => [
  ...files
    .slice(0, mostFiles)
    .flatMap((file) => [
      `  ${file.path}  ${fileWords(file)}`,
      ...lineChangeTexts(file.lines ?? [], mostLines).map((line) => `    ${line}`),
    ]),
  ...(files.length > mostFiles ? [`  and ${files.length - mostFiles} more: --json has all`] : []),
]

const section = (title: string, count: number, lines: readonly string[]): string[] =>
  count === 0 ? [] : [`${title} (${count})`, ...lines]

const lines = (found: Comparison): string[] => {
  const units = found.files.filter(({ path }) => found.units.includes(path))
  const others = found.files.filter(({ path }) => !found.units.includes(path))
  return [
    ...section('outputs', found.outputs.length, changedLines(found.outputs, 40)),
    ...section('packages', found.packages.length, changedLines(found.packages, 100)),
    ...section('kernel config', found.kernelConfig.length, changedLines(found.kernelConfig, 100)),
    ...section('units', units.length, fileLines(units)),
    ...section('files', others.length, fileLines(others)),
    ...section(
      'lock',
      found.lock.length,
      found.lock.map((line) => `  ${line}`),
    ),
  ]
}

export const diffCommand: CliCommand = {
  name: 'diff',
  summary:
    'Says what differs between two builds, output folders, images or locks: the last two builds where none is named.',
  arguments: '[A B]',
  options: configOptions,
  examples: [
    'zos diff',
    'zos diff @3 @0 --json',
    'zos diff old/dist dist',
    'zos diff old.lock zos.lock',
    'zos diff old.cpio.xz dist/vmlinuz.efi',
  ],
  run: async (cli, args, options) => {
    const names = args.length === 0 ? ['@1', '@0'] : args
    if (names.length !== 2)
      throw new ZosError('CLI_USAGE', `zos diff wants two things to compare, not ${names.length}`, {
        hint: 'zos diff --help',
        exit: ExitCode.usage,
      })
    const [a, b] = (await snapshotsOf(cli, options, names)) as [Snapshot, Snapshot]
    const found = compare(a, b)
    const shown = lines(found)
    if (options.json === true)
      cli.out(`${JSON.stringify({ a: a.title, b: b.title, same: shown.length === 0, ...found })}\n`)
    else cli.out(`${a.title} → ${b.title}\n${shown.length === 0 ? 'no difference' : shown.join('\n')}\n`)
    return ExitCode.ok
  },
}
