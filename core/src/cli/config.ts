import { isSecret } from '../config/values.js'
import { isRef } from '../model/artifact.js'
import { type CliCommand, configOptions } from './command.js'
import { configOf } from './session.js'

/** Plain data as people read it: references as `plugin.slot`, secrets masked. */
const shown = (value: unknown): unknown => {
  if (isRef(value)) return `→ ${value.plugin}/${value.component}${value.slot ? `.${value.slot}` : ''}`
  if (isSecret(value)) return `••• (${value.env})`
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member)]))
}

export const configCommand: CliCommand = {
  name: 'config',
  summary: 'Prints the effective config: merged, overridden, checked. Secrets are masked.',
  options: configOptions,
  examples: ['zos config', 'zos config -c variants/quickstart.config.ts --json'],
  run: async (cli, _args, options) => {
    const { plugins, overridden, publish, toolchain, variables: _, ...rest } = await configOf(cli, options)
    const effective = {
      ...rest,
      plugins: Object.fromEntries(
        plugins.map(({ id, options: own, definition }) => [
          id,
          { plugin: `${definition.name} ${definition.version}`, options: shown(own) },
        ]),
      ),
      ...(toolchain && { toolchain: shown(toolchain) }),
      publish: shown(publish),
      overriddenBy: overridden,
    }
    cli.out(options.json === true ? `${JSON.stringify(effective)}\n` : `${JSON.stringify(effective, undefined, 2)}\n`)
    return 0
  },
}
