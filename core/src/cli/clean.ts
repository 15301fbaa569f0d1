import { rm } from 'node:fs/promises'
import { relative } from 'node:path'
import { removeOutputs } from '../io/output-folder.js'
import { type CliCommand, configOptions } from './command.js'
import { configOf, storeFolder } from './session.js'

export const cleanCommand: CliCommand = {
  name: 'clean',
  summary: 'Removes the outputs of the config; with --store also everything that builds remember.',
  options: {
    ...configOptions,
    store: { type: 'boolean', help: 'remove the store too: the next build starts from nothing' },
  },
  examples: ['zos clean', 'zos clean --store -c variants/quickstart.config.ts'],
  run: async (cli, _args, options) => {
    const config = await configOf(cli, options)
    removeOutputs(config.outputFolder)
    cli.out(`removed the outputs in ${relative(cli.cwd, config.outputFolder) || '.'}/\n`)
    if (options.store !== true) return 0
    const folder = storeFolder(cli, config)
    await rm(folder, { recursive: true, force: true })
    cli.out(`removed the store ${relative(cli.cwd, folder) || folder}\n`)
    return 0
  },
}
