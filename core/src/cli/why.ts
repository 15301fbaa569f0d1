import type { DryRun } from '../dry-run.js'
import { type PlannedStep, stepRead } from '../engine/planner.js'
import type { Session } from '../engine/session.js'
import { loadTree } from '../engine/stored-artifact.js'
import { ExitCode, ZosError } from '../error.js'
import { canonical } from '../model/canonical.js'
import type { Entry, TreeRecord } from '../model/entry.js'
import type { BilledPackage } from '../model/package.js'
import type { FileTree } from '../model/tree.js'
import { sizeText } from '../report/words.js'
import { type CliCommand, configOptions } from './command.js'
import { withDryRun } from './plan.js'

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

/** `file 0755 0:0 158.2 kB`. */
const described = (entry: Entry): string => {
  const owner = `${octal(entry.mode)} ${entry.uid}:${entry.gid}`
  if (entry.kind === 'file')
    return `file ${owner}, ${sizeText(entry.blob.size)}, sha256 ${entry.blob.sha256.slice(0, 12)}…`
  if (entry.kind === 'symlink') return `link to ${entry.target}`
  if (entry.kind === 'character' || entry.kind === 'block')
    return `${entry.kind} device ${entry.major}:${entry.minor} ${owner}`
  return `${entry.kind} ${owner}`
}

/** Steps after which the record is another than before, in their order. */
const changedBy = ({ planner }: DryRun, path: string): { step: string; phase: string; isFirst: boolean }[] => {
  const found: { step: string; phase: string; isFirst: boolean }[] = []
  let before: Entry | undefined
  for (const { step, phase, tree } of planner.trees) {
    const entry = tree.get(path)
    if (entry && canonical(entry) !== canonical(before)) found.push({ step, phase, isFirst: before === undefined })
    before = entry
  }
  return found
}

/** Components and files of the project that the step took the content from. */
const sourcesOf = async (
  session: Session,
  step: PlannedStep | undefined,
  path: string,
  entry: Entry,
): Promise<string[]> => {
  const found = new Set<string>()
  for (const { kind, subject, saw } of step?.reads ?? []) {
    if (kind === 'file' && entry.kind === 'file' && saw === entry.blob.sha256)
      found.add(`the file ${subject} of the project`)
    const id = kind === 'tree' || kind === 'artifact' ? stepRead({ kind, subject }) : undefined
    const artifact = id === undefined ? undefined : await session.artifacts.get(id)
    for (const stored of Object.values(artifact?.trees ?? {})) {
      const other = (await loadTree(session.store, stored)).get(path)
      if (other && canonical({ ...other, origin: undefined }) === canonical({ ...entry, origin: undefined }))
        found.add(`the component ${id}`)
    }
  }
  return [...found]
}

const packageOf = ({ packages }: Session, { origin }: Entry): BilledPackage | undefined =>
  [...packages.values()].find(({ plugin, name }) => plugin === origin?.plugin && name === origin?.package)

/** Id of the source that brought the package's file. */
const fetchedAs = ({ fetched }: Session, one: BilledPackage | undefined): string | undefined =>
  one?.sha256 === undefined ? undefined : [...fetched].find(([, { blob }]) => blob?.sha256 === one.sha256)?.[0]

const unknownPath = (tree: FileTree, path: string): ZosError => {
  const name = path.split('/').at(-1)!
  const stemOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/(.)\..*$/, '$1')
  const near = [...tree.records()].flatMap((record) => (stemOf(record.path) === stemOf(name) ? [record.path] : []))
  return new ZosError('PATH_UNKNOWN', `the image has no ${path}`, {
    hint: near.length > 0 ? `did you mean: ${near.slice(0, 6).join(', ')}` : 'what it has: zos why /',
    exit: ExitCode.usage,
  })
}

interface Share {
  readonly by: string
  readonly files: number
  readonly size: number
}

/** Who put what is below a directory. */
const sharesOf = (tree: FileTree, path: string): Share[] => {
  const shares = new Map<string, { files: number; size: number }>()
  for (const record of tree.records(path)) {
    if (record.kind === 'directory') continue
    const by = [record.origin?.plugin ?? 'nobody', record.origin?.package].filter(Boolean).join(' ')
    const share = shares.get(by) ?? { files: 0, size: 0 }
    share.files++
    if (record.kind === 'file') share.size += record.blob.size
    shares.set(by, share)
  }
  return [...shares].map(([by, share]) => ({ by, ...share })).sort((a, b) => b.size - a.size || (a.by < b.by ? -1 : 1))
}

const mostShares = 20

export const whyCommand: CliCommand = {
  name: 'why',
  summary: 'Says which plugin, step, package and source put a file of the image where it is.',
  arguments: 'PATH',
  options: configOptions,
  examples: ['zos why /sbin/init', 'zos why /usr/lib', 'zos why /usr/bin/kmod --json'],
  run: (cli, [given], options) => {
    if (!given)
      throw new ZosError('CLI_USAGE', 'zos why wants a path of the image', {
        hint: 'zos why /sbin/init',
        exit: ExitCode.usage,
      })
    const path =
      given === '/'
        ? given
        : `/${given
            .split('/')
            .filter((part) => part !== '' && part !== '.')
            .join('/')}`
    return withDryRun(cli, options, [], async (run, session) => {
      const { tree, planner } = run
      const open = planner.steps.filter(
        ({ phase, state }) => state !== 'hit' && /^(build|assemble|optimize)$/.test(phase),
      )
      if (tree.count === 0)
        throw new ZosError('WHY_NONE', `${session.config.name} has not been built here yet`, {
          hint: 'zos build',
          exit: ExitCode.usage,
        })
      const chain = linksOf(tree, path)
      const [last] = chain.slice(-1)
      if (!last) throw unknownPath(tree, path)
      const answers = await Promise.all(
        chain.map(async (record) => {
          const steps = changedBy(run, record.path)
          const maker = planner.steps.find(({ step, phase }) => step === steps[0]?.step && phase === steps[0]?.phase)
          const one = packageOf(session, record)
          return {
            record,
            steps,
            from: await sourcesOf(session, maker, record.path, record),
            package: one,
            source: fetchedAs(session, one),
          }
        }),
      )
      const shares = last.kind === 'directory' ? sharesOf(tree, last.path) : []
      if (options.json === true) {
        cli.out(
          `${JSON.stringify({
            path,
            records: answers.map(({ record, steps, from, package: one, source }) => ({
              ...record,
              steps,
              from,
              package: one ?? null,
              source: source ?? null,
            })),
            below: shares,
            changed: open.map(({ step }) => step),
          })}\n`,
        )
        return ExitCode.ok
      }
      for (const { record, steps, from, package: one, source } of answers) {
        const [first, ...later] = steps
        cli.out(`${record.path}  ${described(record)}\n`)
        if (first)
          cli.out(
            `  put by   ${first.step} (${first.phase}${record.origin ? `, plugin ${record.origin.plugin}` : ''})\n`,
          )
        for (const step of later) cli.out(`  changed  by ${step.step} (${step.phase})\n`)
        for (const text of from) cli.out(`  from     ${text}\n`)
        if (one)
          cli.out(
            `  package  ${one.name} ${one.version}${one.license ? `, ${one.license}` : ''}\n           ${one.purl}\n`,
          )
        else if (record.origin?.package) cli.out(`  package  ${record.origin.package}\n`)
        if (source) cli.out(`  fetched  as ${source}, sha256 ${one?.sha256?.slice(0, 12)}…\n`)
      }
      for (const { by, files, size } of shares.slice(0, mostShares))
        cli.out(`  ${sizeText(size).padStart(9)}  ${String(files).padStart(5)} file${files === 1 ? ' ' : 's'}  ${by}\n`)
      if (shares.length > mostShares) cli.out(`  and ${shares.length - mostShares} more packages\n`)
      if (open.length > 0)
        cli.out(
          `as of the last build; now ${open.length === 1 ? `${open[0]!.step} would run` : `${open.length} steps would run`}: zos plan\n`,
        )
      return ExitCode.ok
    })
  },
}

/** The record at a path, and those that links at its end lead to. */
const linksOf = (tree: FileTree, path: string): TreeRecord[] => {
  const records: TreeRecord[] = []
  const add = (at: string): void => {
    const entry = at === '/' ? undefined : tree.get(at)
    const parent = at === '/' ? '/' : tree.resolve(at.slice(0, at.lastIndexOf('/')) || '/')
    if (entry && parent !== undefined)
      records.push({ ...entry, path: `${parent === '/' ? '' : parent}/${at.split('/').at(-1)}` })
  }
  if (path === '/') return [{ path: '/', kind: 'directory', mode: 0o755, uid: 0, gid: 0 }]
  add(path)
  const target = tree.resolve(path)
  if (target !== undefined && target !== records[0]?.path) add(target)
  return records
}
