import { type CommandDefinition, ExitCode, ZosError } from '@zos/core'
import { parseSourcesConf, renderSources } from './sources-conf.js'

/** `zos import`: a classic `sources.conf` as components of this plugin. */
const command: CommandDefinition = {
  summary: 'Prints the components of a classic sources.conf as rustMusl({ … }).',
  arguments: 'FILE',
  options: {},
  examples: ['zos import config/sources.conf'],
  async run(ctx) {
    const [file] = ctx.args
    if (file === undefined || ctx.args.length > 1)
      throw new ZosError('CLI_USAGE', 'zos import takes one file', { hint: 'zos import --help', exit: ExitCode.usage })
    const content = await ctx.projectText(file)
    if (content === undefined)
      throw new ZosError('FILE_MISSING', `the project has no ${file}`, { exit: ExitCode.usage })
    const { code, notes } = renderSources(parseSourcesConf(content, file))
    for (const note of notes) ctx.err(`note: ${note}\n`)
    ctx.out(code)
    return 0
  },
}
export default command
