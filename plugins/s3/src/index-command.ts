import { type CommandContext, type CommandDefinition, ExitCode, type ObjectLocation, ZosError } from '@zos/core'
import { pruneKernels, remakeIndex } from './kernel-index.js'
import type { FolderOptions, S3Options } from './options.js'
import { lookupOf, subpathsOf, writeLocation } from './settings.js'

interface Found {
  readonly location: ObjectLocation
  readonly folder: string
}

const placesOf = async (ctx: CommandContext): Promise<Found[]> => {
  const reader = { env: ctx.env, text: ctx.projectText }
  const found: Found[] = []
  for (const plugin of ctx.plugins('s3')) {
    const options = plugin.options as S3Options
    const lookup = await lookupOf(options.config, reader)
    const location = writeLocation(options, lookup, ctx.secret)
    found.push({ location, folder: subpathsOf(options, lookup).kernels })
  }
  for (const plugin of ctx.plugins('folder')) {
    const options = plugin.options as FolderOptions
    const { kernels } = subpathsOf(options, await lookupOf(undefined, reader))
    found.push({ location: { kind: 'dir', path: options.path }, folder: kernels })
  }
  if (found.length > 0) return found
  throw new ZosError('INDEX_NOWHERE', 'the config has neither s3({ … }) nor folder({ … })', {
    hint: 'add one to its plugins: docs/publishing.md',
    exit: ExitCode.config,
  })
}

const indexOne = async (ctx: CommandContext, { location, folder }: Found, keep: number | undefined): Promise<void> => {
  const store = await ctx.objects(location)
  try {
    const now = Math.floor(ctx.now() / 1000)
    const kernels = await remakeIndex(store, folder, now)
    const removed = keep === undefined ? [] : await pruneKernels(store, folder, now, keep)
    const left = kernels.filter((name) => !removed.includes(name))
    const url = store.url(folder)
    if (ctx.json) ctx.out(`${JSON.stringify({ event: 'index', url, kernels: left, removed })}\n`)
    else {
      ctx.out(`${url}/kernels.txt and kernels.json: ${left.length} kernel${left.length === 1 ? '' : 's'}\n`)
      for (const name of left) ctx.out(`  ${name}\n`)
      for (const name of removed) ctx.out(`  removed ${name}\n`)
    }
  } finally {
    store.close()
  }
}

const command: CommandDefinition = {
  summary: 'Makes kernels.txt and kernels.json of every bucket and folder of the config anew, from what is there.',
  options: {
    keep: { type: 'number', value: 'N', help: 'remove all kernels but the N newest' },
  },
  examples: ['zos index', 'zos index --keep 10'],
  run: async (ctx) => {
    const keep = ctx.options.keep as number | undefined
    if (keep === 0) throw new ZosError('CLI_NUMBER', '--keep 0: expected a number from 1', { exit: ExitCode.usage })
    for (const place of await placesOf(ctx)) await indexOne(ctx, place, keep)
    return ExitCode.ok
  },
}
export default command
