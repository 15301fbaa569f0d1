import { existsSync, readFileSync, statSync } from 'node:fs'
import { ExitCode, ZosError } from '../error.js'
import { actionLog } from '../exec/action-files.js'
import { Store } from '../store/store.js'
import { type CliCommand, configOptions } from './command.js'
import { configOf, storeFolder } from './session.js'
import { buildsOf, recordOf, runnerOf, stepArgument, unknownStep } from './step-history.js'

export const logCommand: CliCommand = {
  name: 'log',
  summary: 'Prints what the commands of a step printed when they last ran.',
  arguments: 'STEP',
  options: { ...configOptions, path: { type: 'boolean', help: 'print where the logs lie, and nothing else' } },
  examples: ['zos log rust-musl/zinit', 'less "$(zos log rust-musl/zinit --path)"'],
  run: async (cli, args, options) => {
    const step = stepArgument('log', args)
    const config = await configOf(cli, options)
    const store = Store.open(storeFolder(cli, config), cli.now)
    try {
      const builds = buildsOf(store, config)
      const last = builds.flatMap(({ steps }) => steps.filter((one) => one.step === step))
      if (last.length === 0) throw unknownStep(step, builds)
      // Of each command the config whose build ran it.
      const names = new Map<string, string>()
      for (const record of last.map((one) => recordOf(store, config, one)))
        for (const { name } of record?.actions ?? []) names.set(name, runnerOf(record, config).name)
      const [{ failed } = {}] = last
      if (failed !== undefined) names.set(failed, config.name)
      const logs = [...names]
        .map(([command, runner]) => ({ command, path: actionLog(store.logFolder, runner, step, command) }))
        .filter(({ path }) => existsSync(path))
        .sort((a, b) => statSync(a.path).mtimeMs - statSync(b.path).mtimeMs)
      if (logs.length === 0)
        throw new ZosError(
          'LOG_NONE',
          names.size === 0 ? `${step} runs no command` : `the logs of ${step} are gone from the store`,
          {
            hint:
              names.size === 0
                ? `what it looked at: zos explain ${step}`
                : `run it again: zos build --rebuild-from=${step}`,
            exit: ExitCode.usage,
          },
        )
      for (const { command, path } of logs) {
        if (options.json === true)
          cli.out(
            `${JSON.stringify({ step, command, path, ...(options.path !== true && { text: readFileSync(path, 'utf8') }) })}\n`,
          )
        else cli.out(options.path === true ? `${path}\n` : readFileSync(path, 'utf8'))
      }
      return ExitCode.ok
    } finally {
      store.close()
    }
  },
}
