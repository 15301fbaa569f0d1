import { isTreeRead, stepRead } from '../engine/planner.js'
import { differences } from '../model/lock.js'
import type { HostToolchainSpec } from '../model/toolchain.js'
import { lineChanges, lineChangeTexts } from '../report/line-changes.js'
import { timeText } from '../report/words.js'
import type { Change, Read, StepHistory } from '../store/records.js'
import { Store } from '../store/store.js'
import { type CliCommand, configOptions } from './command.js'
import { configOf, storeFolder } from './session.js'
import {
  buildsOf,
  type ConfigName,
  type PastBuild,
  recordOf,
  runnerOf,
  stepArgument,
  unknownStep,
} from './step-history.js'

/** A recorded read as people read it. */
const shown = ({ kind, subject }: Pick<Read, 'kind' | 'subject'>): string => {
  if (kind === 'tool') return `the host’s ${(JSON.parse(subject) as HostToolchainSpec).tools.join(', ')}`
  if (kind === 'toolchain') return 'the toolchain of the config'
  if (kind === 'root') return 'the root file system'
  return kind === 'executor' ? 'the executor' : subject
}

const short = (text: string): string =>
  /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 8)}…` : text.length > 60 ? `${text.slice(0, 59)}…` : text

const parsed = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** From what to what, as far as the store still has both. */
const details = ({ kind, before, after }: Change, store: Store): string[] => {
  if (kind === 'options') return differences(parsed(before), parsed(after))
  if (kind === 'code' || before === 'missing' || after === 'missing') return []
  const [old, now] = [store.blobs.textOf(before), store.blobs.textOf(after)]
  if (kind === 'file' && old !== undefined && now !== undefined && !old.includes('\0'))
    return lineChangeTexts(lineChanges(old, now))
  if ((kind === 'glob' || kind === 'settled') && old !== undefined && now !== undefined)
    return differences(parsed(old), parsed(now), '').map((line) => line.replace(/^: /, ''))
  return [`${short(before)} → ${short(after)}`]
}

const title = (change: Change): string => {
  const { kind, subject, before, after } = change
  if (kind === 'code') return `the code of ${subject} changed`
  if (kind === 'options') return `the options of ${subject} changed`
  if (kind === 'settled') return `the wishes for ${subject} changed`
  const what = shown(change)
  if (before === 'missing') return `${what} is new`
  return after === 'missing' ? `${what} is gone` : `${what} changed`
}

/** Steps of the same build whose results a change is of. */
const causesOf = (change: Change, build: PastBuild): StepHistory[] => {
  const ran = build.steps.filter(({ state }) => state !== 'hit')
  const id = stepRead(change)
  if (id !== undefined) return ran.filter(({ step, phase }) => step === id && (phase === 'build' || phase === 'pack'))
  return isTreeRead(change) ? ran.filter(({ phase }) => phase === 'assemble' || phase === 'optimize') : []
}

interface Cause {
  readonly step: string
  readonly phase: string
  readonly why: readonly string[]
  readonly changes: readonly (Change & { readonly details: readonly string[]; readonly from: readonly Cause[] })[]
}

/** A step, what made it run, what made that, and so on. */
const chainOf = (ran: StepHistory, build: PastBuild, store: Store, above: readonly StepHistory[] = []): Cause => ({
  step: ran.step,
  phase: ran.phase,
  why: ran.why,
  changes: (ran.changes ?? []).map((change) => ({
    ...change,
    details: details(change, store),
    from: causesOf(change, build)
      .filter((one) => one !== ran && !above.includes(one))
      .map((one) => chainOf(one, build, store, [...above, ran])),
  })),
})

/** Changes of one step that are shown; the tree's own records say no more than the tap that changed them. */
const mostChanges = 8

const chainLines = ({ changes }: Cause, indent: string, said: Set<string>): string[] =>
  changes.slice(0, mostChanges).flatMap((change) => {
    const lines = [`${indent}${title(change)}`, ...change.details.map((line) => `${indent}  ${line}`)]
    for (const cause of change.from) {
      const key = `${cause.step} ${cause.phase}`
      if (said.has(key)) continue
      said.add(key)
      lines.push(`${indent}  since ${cause.step} ran${cause.changes.length > 0 ? ':' : `: ${cause.why.join('; ')}`}`)
      lines.push(...chainLines(cause, `${indent}    `, said))
    }
    return lines
  })

/** Steps that ran later in the build and read what this one gave, or what those gave that did. */
const followersOf = (
  ran: StepHistory,
  build: PastBuild,
  readsOf: (step: StepHistory) => readonly Read[],
): StepHistory[] => {
  const found: StepHistory[] = [ran]
  for (const step of build.steps.slice(build.steps.indexOf(ran) + 1)) {
    if (step.state === 'hit') continue
    const isReader = readsOf(step).some((read) => {
      const id = stepRead(read)
      return found.some(({ step: name, phase }) =>
        phase === 'assemble' || phase === 'optimize' ? isTreeRead(read) : id === name,
      )
    })
    if (isReader) found.push(step)
  }
  return found.slice(1)
}

/** `code, options, 3 files, the host’s rustc`: what saw the same. */
const unchanged = (reads: readonly Read[], changes: readonly Change[]): string => {
  const same = reads.filter(
    (read) => !changes.some(({ kind, subject }) => kind === read.kind && subject === read.subject),
  )
  const has = (kind: string): boolean => changes.some((change) => change.kind === kind)
  const counted = Object.entries({
    file: 'file',
    source: 'source',
    tree: 'tree',
    artifact: 'artifact',
    env: 'variable',
  })
  const words = [
    ...(has('code') ? [] : ['code']),
    ...(has('options') || has('code') ? [] : ['options']),
    ...counted.flatMap(([kind, word]) => {
      const count = same.filter((read) => read.kind === kind).length
      return count === 0 ? [] : [`${count} ${word}${count > 1 ? 's' : ''}`]
    }),
    ...same.filter(({ kind }) => kind === 'tool').map(shown),
  ]
  return words.join(', ')
}

const listed = (names: readonly string[], most: number, none: string): string =>
  `${names.slice(0, most).join(', ') || none}${names.length > most ? `, and ${names.length - most} more` : ''}`

const hasRun =
  (step: string) =>
  (one: StepHistory): boolean =>
    one.step === step && one.state !== 'hit'

interface LastRun {
  /** The config whose build it was. */
  readonly config: ConfigName
  readonly build: PastBuild
  /** One for each phase; hits where no build on record ran it. */
  readonly ran: readonly StepHistory[]
}

/** The last build that ran a step; one of another config, where all of this one took its result over. */
const lastRunOf = (step: string, config: ConfigName, store: Store): LastRun => {
  const builds = buildsOf(store, config)
  const build = builds.find(({ steps }) => steps.some(hasRun(step)))
  if (build) return { config, build, ran: build.steps.filter(hasRun(step)) }
  const last = builds.find(({ steps }) => steps.some((one) => one.step === step))
  const hits = last?.steps.filter((one) => one.step === step) ?? []
  const [hit] = hits
  if (!last || !hit) throw unknownStep(step, builds)
  const runner = runnerOf(recordOf(store, config, hit), config)
  const elsewhere = buildsOf(store, runner).find(({ steps }) => steps.some(hasRun(step)))
  if (!elsewhere) return { config, build: last, ran: hits }
  return { config: runner, build: elsewhere, ran: elsewhere.steps.filter(hasRun(step)) }
}

export const explainCommand: CliCommand = {
  name: 'explain',
  summary: 'Says why a step last ran: what changed, from what to what, the chain above it, and what followed.',
  arguments: 'STEP',
  options: configOptions,
  examples: ['zos explain vmlinuz.efi', 'zos explain zinit/units --json'],
  run: async (cli, args, options) => {
    const step = stepArgument('explain', args)
    const config = await configOf(cli, options)
    const store = Store.open(storeFolder(cli, config), cli.now)
    try {
      const { config: runner, build, ran } = lastRunOf(step, config, store)
      const isElsewhere = runner.name !== config.name || runner.arch !== config.arch
      const when = new Date(build.at).toISOString().slice(0, 16).replace('T', ' ')
      const answers = ran.map((one) => {
        const reads = recordOf(store, runner, one)?.reads ?? []
        const followed = followersOf(one, build, (other) => recordOf(store, runner, other)?.reads ?? [])
        return { one, reads, followed, chain: chainOf(one, build, store) }
      })
      for (const { one, reads, followed, chain } of answers) {
        if (options.json === true) {
          const { phase, state, ms, why } = one
          const data = {
            step,
            phase,
            at: build.at,
            state,
            ms,
            why,
            changes: chain.changes,
            reads,
            details: one.details ?? [],
            ...(isElsewhere && { from: `${runner.name}/${runner.arch}` }),
          }
          cli.out(`${JSON.stringify({ ...data, followed: followed.map((other) => other.step) })}\n`)
          continue
        }
        const name = answers.length > 1 ? `${step} (${one.phase})` : step
        const whose = isElsewhere ? ` in a build of ${runner.name}/${runner.arch}` : ''
        cli.out(
          one.state === 'hit'
            ? `${name} came from the store on ${when} UTC; no build on record ran it\n`
            : `${name} ${one.state === 'failed' ? 'failed' : 'ran'} on ${when} UTC${whose} (${timeText(one.ms)}) because\n`,
        )
        const lines = chainLines(chain, '  ', new Set())
        for (const line of lines.length > 0 ? lines : one.why.map((reason) => `  ${reason}`)) cli.out(`${line}\n`)
        if (chain.changes.length > mostChanges) cli.out(`  and ${chain.changes.length - mostChanges} more\n`)
        const same = unchanged(reads, one.changes ?? [])
        if (chain.changes.length > 0 && same !== '') cli.out(`and not because of: ${same}: unchanged\n`)
        for (const line of one.details ?? []) cli.out(`  ${line}\n`)
        const looked = reads.filter(({ kind }) => kind !== 'setting').map(shown)
        cli.out(`it looks at: ${listed([...new Set(looked)], 12, 'nothing but its options')}\n`)
        const count = followed.length
        cli.out(
          count === 0
            ? 'no step followed\n'
            : `${count} step${count === 1 ? '' : 's'} followed: ${listed(
                followed.map((other) => other.step),
                8,
                '',
              )}\n`,
        )
      }
      return 0
    } finally {
      store.close()
    }
  },
}
