import { buildConfig, buildOptions } from './build.js'
import type { CliCommand } from './command.js'
import { configOf } from './session.js'

export const publishCommand: CliCommand = {
  name: 'publish',
  summary: 'Sends the outputs to the targets of the config; what is not built yet is built first.',
  options: buildOptions,
  examples: ['zos publish', 'zos publish --frozen -c variants/minimal.config.ts', 'zos publish --json'],
  run: async (cli, _args, options) => {
    const config = await configOf(cli, options)
    await buildConfig(cli, config, { ...options, publish: true }, [])
    return 0
  },
}
