import { table, timeText } from '../report/words.js'
import { Store } from '../store/store.js'
import { type CliCommand, configOptions } from './command.js'
import { classicStages } from './force.js'
import { configOf, storeFolder } from './session.js'

export const stepsCommand: CliCommand = {
  name: 'steps',
  summary: 'Shows every step of the last build: from the store or run, how long, and why.',
  options: {
    ...configOptions,
    stages: { type: 'boolean', help: 'also where each stage of the classic build is found (zos --show-stages)' },
  },
  examples: ['zos steps', 'zos steps --json', 'zos --show-stages'],
  run: async (cli, _args, options) => {
    const config = await configOf(cli, options)
    const store = Store.open(storeFolder(cli, config), cli.now)
    try {
      const [last] = store.history(`${config.name}/${config.arch}`)
      if (options.json === true) {
        cli.out(
          `${JSON.stringify({ name: config.name, build: last ?? null, ...(options.stages === true && { stages: classicStages }) })}\n`,
        )
        return 0
      }
      if (options.stages === true) {
        const rows = Object.entries(classicStages).map(([stage, { phase, what }]) => [`  ${stage}`, phase, what])
        cli.out(`${table([['  classic stage', 'phase', 'what it is now'], ...rows]).join('\n')}\n\n`)
      }
      if (!last) {
        cli.out(`${config.name} has not been built here yet: zos build\n`)
        return 0
      }
      const rows = last.steps.map(({ step, state, ms, why }) => [
        `  ${step}`,
        state === 'hit' ? 'from the store' : state,
        timeText(ms),
        why.join('; '),
      ])
      cli.out(
        `${config.name}: last build ${last.ok ? 'succeeded' : 'failed'}, ${new Date(last.at).toISOString().slice(0, 16).replace('T', ' ')} UTC, ${timeText(last.ms)}\n`,
      )
      cli.out(`${table([['  step', 'state', 'time', 'why'], ...rows], [2]).join('\n')}\n`)
      return 0
    } finally {
      store.close()
    }
  },
}
