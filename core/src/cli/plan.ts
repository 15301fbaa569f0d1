import { relative } from 'node:path'
import { type DryRun, dryRun } from '../dry-run.js'
import type { PlannedStep } from '../engine/planner.js'
import type { Session } from '../engine/session.js'
import { reportAll } from '../report/report.js'
import { table, timeText } from '../report/words.js'
import { type Cli, type CliCommand, configOptions, type OptionValues } from './command.js'
import { configOf, openSession } from './session.js'

/** Runs something on a session in which nothing is built or written. */
export const withDryRun = async <T>(
  cli: Cli,
  options: OptionValues,
  outputs: readonly string[],
  use: (run: DryRun, session: Session) => Promise<T>,
): Promise<T> => {
  const config = await configOf(cli, options)
  const open = await openSession(cli, config, options, reportAll([]))
  try {
    return await use(await dryRun(open.session, outputs), open.session)
  } finally {
    await open.close()
  }
}

/** Names that several steps have come with their phase. */
export const stepTitles = (steps: readonly Pick<PlannedStep, 'step' | 'phase'>[]): string[] =>
  steps.map(({ step, phase }) => (steps.filter((one) => one.step === step).length > 1 ? `${step} (${phase})` : step))

const shownFetches = 8
/** Runs shorter than this are not worth a word. Milliseconds. */
const noticeable = 1000

const lines = ({ planner: { steps, resolves, fetches, isPartial } }: DryRun, title: string): string[] => {
  const titles = stepTitles(steps)
  const rows = steps.flatMap(({ state, why, lastMs = 0 }, index) =>
    state === 'hit'
      ? []
      : [[`  ${titles[index]}`, `${why}${lastMs >= noticeable ? `; last took ${timeText(lastMs)}` : ''}`]],
  )
  const count = (state: string): number => steps.filter((step) => step.state === state).length
  const maybe = count('maybe')
  const asks = resolves.map(({ entry, why }) => `  ${entry}  ${why}`)
  const more = fetches.length > shownFetches ? `, and ${fetches.length - shownFetches} more` : ''
  const head =
    rows.length === 0
      ? [`${title}: up to date, ${steps.length} steps from the store`]
      : [
          title,
          `would run ${count('run')} of ${steps.length} steps${maybe > 0 ? `, and ${maybe} more if what they read changes` : ''}`,
        ]
  return [
    ...(asks.length > 0 ? ['would ask anew, and move the lock:', ...asks] : []),
    ...(isPartial ? ['what would run is known once the lock has these answers: zos lock'] : head),
    ...table(rows),
    ...(fetches.length > 0
      ? [`would fetch ${fetches.length}: ${fetches.slice(0, shownFetches).join(', ')}${more}`]
      : []),
  ]
}

export const planCommand: CliCommand = {
  name: 'plan',
  summary: 'Says what a build would run, ask and fetch, and why, without doing it.',
  arguments: '[OUTPUT…]',
  options: {
    ...configOptions,
    'rebuild-from': {
      type: 'string',
      value: 'STEP',
      help: 'as of zos build: this step, phase or classic stage and all after it',
    },
    'force-rebuild': { type: 'boolean', help: 'as of zos build: every step' },
  },
  examples: ['zos plan', 'zos plan initramfs', 'zos plan --json -c variants/quickstart.config.ts'],
  run: (cli, args, options) =>
    withDryRun(cli, options, args, async (run, { config }) => {
      const { steps, resolves, fetches, isPartial } = run.planner
      if (options.json === true)
        cli.out(
          `${JSON.stringify({
            name: config.name,
            partial: isPartial,
            resolves,
            fetches,
            steps: steps.map(({ reads: _, ...step }) => step),
          })}\n`,
        )
      else cli.out(`${lines(run, `${config.name} (${relative(cli.cwd, config.file)}, ${config.arch})`).join('\n')}\n`)
      return 0
    }),
}
