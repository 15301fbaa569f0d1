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
    const isStore = options.store === true
    const removed = [config.outputFolder, ...(isStore ? [storeFolder(cli, config)] : [])].map(
      (folder) => relative(cli.cwd, folder) || '.',
    )
    removeOutputs(config.outputFolder)
    if (isStore) await rm(storeFolder(cli, config), { recursive: true, force: true })
    if (options.json === true) cli.out(`${JSON.stringify({ removed })}\n`)
    else cli.out(`removed the outputs in ${removed[0]}/\n${isStore ? `removed the store ${removed[1]}\n` : ''}`)
    return 0
  },
}
