import { closest } from '../config/closest.js'
import type { Phase } from '../engine/session.js'
import { placeOf } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { HostToolchainSpec } from '../model/toolchain.js'
import { timeText } from '../report/words.js'
import { type Read, Store } from '../store/store.js'
import { type CliCommand, configOptions } from './command.js'
import { configOf, storeFolder } from './session.js'

/** A recorded read as people read it. */
const shown = ({ kind, subject }: Read): string => {
  if (kind === 'tool') return `the host’s ${(JSON.parse(subject) as HostToolchainSpec).tools.join(', ')}`
  return kind === 'executor' ? 'the executor' : subject
}

export const explainCommand: CliCommand = {
  name: 'explain',
  summary: 'Says when and why a step last ran, what it looked at, and what followed from it.',
  arguments: 'STEP',
  options: configOptions,
  examples: ['zos explain vmlinuz.efi', 'zos explain zinit/units --json'],
  run: async (cli, [step], options) => {
    if (!step)
      throw new ZosError('CLI_USAGE', 'zos explain wants the name of a step', {
        hint: 'all steps: zos steps',
        exit: ExitCode.usage,
      })
    const config = await configOf(cli, options)
    const store = Store.open(storeFolder(cli, config), cli.now)
    try {
      const place = `${config.name}/${config.arch}`
      const builds = [...store.history(place)]
      const build = builds.find(({ steps }) => steps.some((one) => one.step === step && one.state !== 'hit'))
      const ran = build?.steps.find((one) => one.step === step && one.state !== 'hit')
      const record = ran && store.lastTapRecord(placeOf(config, ran.phase as Phase, step))
      if (!build || !ran || !record) {
        const known = [...new Set(builds.flatMap(({ steps }) => steps.map((one) => one.step)))]
        throw new ZosError('STEP_UNKNOWN', `no build here ran a step ${step}`, {
          hint:
            known.length === 0
              ? 'build first: zos build'
              : `did you mean: ${closest(step, known).join(', ') || known.slice(0, 8).join(', ')}`,
          exit: ExitCode.usage,
        })
      }
      const { ms, why } = ran
      const followed = build.steps.slice(build.steps.indexOf(ran) + 1).filter(({ state }) => state === 'ran')
      const looked = record.reads.filter(({ kind }) => kind !== 'setting').map(shown)
      if (options.json === true) {
        cli.out(
          `${JSON.stringify({ step, at: build.at, ms, why, reads: record.reads, followed: followed.map((one) => one.step) })}\n`,
        )
        return 0
      }
      const when = new Date(build.at).toISOString().slice(0, 16).replace('T', ' ')
      cli.out(`${step} ran on ${when} UTC (${timeText(ms)}) because\n`)
      for (const reason of why) cli.out(`  ${reason}\n`)
      cli.out(
        `it looks at: ${looked.slice(0, 12).join(', ') || 'nothing but its options'}${looked.length > 12 ? `, and ${looked.length - 12} more` : ''}\n`,
      )
      cli.out(
        followed.length === 0
          ? 'no step ran after it\n'
          : `${followed.length} step${followed.length === 1 ? '' : 's'} ran after it: ${followed.map((one) => one.step).join(', ')}\n`,
      )
      return 0
    } finally {
      store.close()
    }
  },
}
