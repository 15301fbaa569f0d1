import { keptBuilds } from '../diff/keep-build.js'
import { ExitCode, isZosError, ZosError } from '../error.js'
import { sizeText, table } from '../report/words.js'
import { compared, type Share, sharesBy, type Way, ways } from '../size/breakdown.js'
import { keptSizes, pathSizes, type SizedBuild } from '../size/sized-build.js'
import { Store } from '../store/store.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { configOf, storeFolder } from './session.js'

const isBuild = (name: string): boolean => /^@\d+$/.test(name)

/** A file outside of a project is looked at alone, without who put what there. */
const buildsOf = async (cli: Cli, options: OptionValues, names: readonly string[]): Promise<SizedBuild[]> => {
  const needsConfig = options.config !== undefined || names.some(isBuild)
  const config = await configOf(cli, options).catch((error: unknown) => {
    if (!needsConfig && isZosError(error)) return undefined
    throw error
  })
  if (!config) return Promise.all(names.map((name) => pathSizes(cli.cwd, name, undefined, [])))
  const store = Store.open(storeFolder(cli, config), cli.now)
  try {
    const builds = keptBuilds(store, `${config.name}/${config.arch}`)
    const found: SizedBuild[] = []
    for (const name of names)
      found.push(
        isBuild(name)
          ? await keptSizes(store, builds, name, config.outputFolder)
          : await pathSizes(cli.cwd, name, store, builds),
      )
    return found
  } finally {
    store.close()
  }
}

const signed = (bytes: number): string => (bytes === 0 ? '=' : `${bytes > 0 ? '+' : '-'}${sizeText(Math.abs(bytes))}`)

const rowOf = ({ name, packed, plain, files, was }: Share, total: number, way: Way): string[] => [
  `  ${sizeText(packed)}`,
  was === undefined ? `${((100 * packed) / Math.max(1, total)).toFixed(1)} %` : signed(packed - was),
  sizeText(plain),
  way === 'file' ? '' : `${files}`,
  name,
]

/** Rows of each table where none is asked for alone. */
const fewRows = 10

const lines = (way: Way, shares: readonly Share[], total: number, most: number, isCompared: boolean): string[] => {
  const told = isCompared ? shares.filter(({ packed, was }) => packed !== was) : shares
  const shown = told.slice(0, most)
  const left = told.length - shown.length
  if (isCompared && told.length === 0) return []
  const head = ['  packed', isCompared ? 'change' : 'share', 'plain', way === 'file' ? '' : 'files', way]
  return [
    ...table([head, ...shown.map((share) => rowOf(share, total, way))], [0, 1, 2, 3]),
    ...(left > 0 ? [`  and ${left} more: zos size --by ${way}`] : []),
  ]
}

const outputRows = (now: SizedBuild, before: SizedBuild | undefined): string[] => {
  const old = new Map((before?.outputs ?? []).map(({ name, size }) => [name, size]))
  return table(
    now.outputs.map(({ name, size }) => [
      `  ${sizeText(size)}`,
      before ? (old.has(name) ? signed(size - old.get(name)!) : 'new') : '',
      name,
    ]),
    [0, 1],
  )
}

const wayOf = (value: unknown): Way | undefined => {
  if (value === undefined || ways.some((way) => way === value)) return value as Way | undefined
  throw new ZosError('CLI_SIZE', `--by ${value}: expected ${ways.join(', ')}`, { exit: ExitCode.usage })
}

export const sizeCommand: CliCommand = {
  name: 'size',
  summary: 'Says where the bytes of the compressed image go: by package, plugin, folder and file.',
  arguments: '[BUILD]',
  options: {
    ...configOptions,
    by: { type: 'string', value: 'WAY', help: 'one table, with all rows: package, plugin, folder or file' },
    depth: { type: 'number', value: 'N', help: 'levels of folders below the root (2)' },
    against: { type: 'string', value: 'BUILD', help: 'compare with another build, output folder or image' },
  },
  examples: [
    'zos size',
    'zos size --by file',
    'zos size --by folder --depth 3',
    'zos size @0 --against @1',
    'zos size dist/vmlinuz.efi --json',
  ],
  run: async (cli, args, options) => {
    if (args.length > 1)
      throw new ZosError('CLI_USAGE', 'zos size wants one build; the other comes after --against', {
        hint: 'zos size @0 --against @1',
        exit: ExitCode.usage,
      })
    const way = wayOf(options.by)
    const depth = Math.max(1, Number(options.depth ?? 2))
    const against = options.against as string | undefined
    const names = [args[0] ?? '@0', ...(against === undefined ? [] : [against])]
    const [now, before] = (await buildsOf(cli, options, names)) as [SizedBuild, SizedBuild | undefined]
    const by = (one: Way): Share[] => {
      const shares = sharesBy(one, now.shares, now.originOf, depth)
      return before ? compared(shares, sharesBy(one, before.shares, before.originOf, depth)) : shares
    }
    const asked = way ? [way] : ways
    if (options.json === true) {
      const { title, outputs, archive, shares } = now
      cli.out(
        `${JSON.stringify({
          build: title,
          against: before?.title ?? null,
          outputs: outputs.map(({ name, size }) => ({ name, size })),
          archive: { name: archive, packed: shares.packed, plain: shares.plain },
          ...Object.fromEntries(asked.map((one) => [`by${one[0]!.toUpperCase()}${one.slice(1)}`, by(one)])),
        })}\n`,
      )
      return ExitCode.ok
    }
    const title = before ? `${before.title} → ${now.title}` : now.title
    const text = [title, ...outputRows(now, before)]
    const grew = before ? `, ${signed(now.shares.packed - before.shares.packed)}` : ''
    text.push(`${now.archive}: ${sizeText(now.shares.packed)}${grew}, ${sizeText(now.shares.plain)} unpacked`)
    const most = way ? Number.POSITIVE_INFINITY : fewRows
    const tables = asked.flatMap((one) => lines(one, by(one), now.shares.packed, most, before !== undefined))
    text.push(...(tables.length > 0 ? tables : ['no difference']))
    cli.out(`${text.join('\n')}\n`)
    return ExitCode.ok
  },
}
