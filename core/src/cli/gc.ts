import { ExitCode, ZosError } from '../error.js'
import { sizeText } from '../report/words.js'
import { Store } from '../store/store.js'
import { type CliCommand, configOptions } from './command.js'
import { configOf, storeFolder } from './session.js'

const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** Bytes of `500M`, `5G`, `2GiB`, `0`. */
export const bytesOf = (text: string): number => {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]i?)?B?$/.exec(text.trim()) ?? []
  if (number !== '') return Math.floor(Number(number) * units[unit]!)
  throw new ZosError('CLI_SIZE', `--keep ${text}: expected a size such as 500M, 5G or 0`, { exit: ExitCode.usage })
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`

export const gcCommand: CliCommand = {
  name: 'gc',
  summary:
    'Makes the store smaller: what nothing refers to, and with --keep what was used longest ago. Safe beside running builds.',
  options: {
    ...configOptions,
    keep: { type: 'string', value: 'SIZE', help: 'keep at most this much (500M, 5G), of what was used last' },
    'dry-run': { type: 'boolean', help: 'say what would go, and remove nothing' },
  },
  examples: ['zos gc', 'zos gc --keep 5G --dry-run', 'zos gc --keep 5G'],
  run: async (cli, _args, options) => {
    const keep = options.keep === undefined ? undefined : bytesOf(String(options.keep))
    const config = await configOf(cli, options)
    const store = Store.open(storeFolder(cli, config), cli.now)
    try {
      const dryRun = options['dry-run'] === true
      const swept = await store.sweep({ ...(keep !== undefined && { keep }), dryRun })
      if (options.json === true) {
        cli.out(`${JSON.stringify({ store: store.folder, dryRun, ...swept })}\n`)
        return ExitCode.ok
      }
      const { before, after, results, contents, users } = swept
      const verb = dryRun ? 'would remove' : 'removed'
      cli.out(
        `${verb} ${sizeText(before - after)} of ${sizeText(before)}: ${count(contents.removed, 'file')} and ${count(results.removed, 'result')}; ${sizeText(after)} in ${count(contents.kept, 'file')} ${dryRun ? 'would stay' : 'stay'}\n`,
      )
      if (users > 0)
        cli.out(
          `${count(users, 'other process')}${users > 1 ? 'es use' : ' uses'} the store now: what they may use stays\n`.replace(
            'processses',
            'processes',
          ),
        )
      if (keep !== undefined && after > keep && users === 0)
        cli.out(`more than ${sizeText(keep)} stays, since it is new\n`)
      return ExitCode.ok
    } finally {
      store.close()
    }
  },
}
