// zos flist pack: a folder into a flist and its blocks into stores.
import { type CommandContext, type CommandDefinition, ExitCode, type Json, sizeText, ZosError } from '@zos/core'
import { blockSize, sealVersion } from '../block.js'
import { BlockPool } from '../block-pool.js'
import { closeRoutes, locationsOf, openRoutes } from '../block-store.js'
import { entryOf } from '../entries.js'
import { blocksOf, type Route } from '../flist.js'
import { writeFlist } from '../flist-write.js'
import { type FileMemory, FolderPacker, knownBlocks } from '../folder-packer.js'
import { checkCoverage, checkReadable, withoutCredentials } from '../route.js'
import { checkRoutes } from '../route-check.js'
import { jsonOption, list, openStore, pathOf, progressLine, routesOf, usage } from './open.js'

const command: CommandDefinition = {
  summary:
    'Packs a folder into a flist and sends its blocks to the stores. Blocks that a store has are not sent again, and files that have not changed since the last pack are not read again.',
  arguments: 'FOLDER',
  options: {
    meta: { type: 'string', short: 'm', value: 'FILE', help: 'the flist to write (-m)' },
    store: {
      type: 'string',
      short: 's',
      multiple: true,
      value: '[xx-xx=]URL',
      help: 'store of the blocks, or of a range of them (-s)',
    },
    route: {
      type: 'string',
      short: 'r',
      multiple: true,
      value: '[xx-xx=]URL',
      help: 'where readers find the blocks, with keys that may only read (-r); else the stores without their keys',
    },
    tag: { type: 'string', short: 't', multiple: true, value: 'KEY=VALUE', help: 'a tag of the flist (-t)' },
    json: jsonOption,
  },
  examples: [
    'zos flist pack -m modules.fl -s dir:///srv/blocks /lib/modules/6.12.44',
    'zos flist pack -m firmware.fl -s s3://KEY:SECRET@hub:3900/flists/blobs -r s3://READ:SECRET@hub:3900/flists/blobs firmware',
  ],
  run: async (ctx) => {
    const [folder, ...more] = ctx.args
    const meta = ctx.options.meta
    if (folder === undefined || more.length > 0) throw usage('expected one folder', 'pack')
    if (typeof meta !== 'string') throw usage('expected -m FILE, the flist to write', 'pack')
    const stores = routesOf(ctx, list(ctx.options.store))
    if (stores.length === 0) throw usage('expected -s URL, a store for the blocks', 'pack')
    checkCoverage(stores, '--store')
    const routes = embedded(ctx, stores)
    return pack(ctx, pathOf(ctx, folder), { meta, stores, routes, tags: tagsOf(ctx) })
  },
}
export default command

interface Request {
  readonly meta: string
  readonly stores: readonly Route[]
  readonly routes: readonly Route[]
  readonly tags: ReadonlyMap<string, string>
}

/** The routes that go into the flist: never with a key that may write. */
const embedded = (ctx: CommandContext, stores: readonly Route[]): readonly Route[] => {
  const named = routesOf(ctx, list(ctx.options.route))
  if (named.length > 0) checkCoverage(named, '--route')
  const routes = named.length > 0 ? named : stores.map((store) => ({ ...store, url: withoutCredentials(store.url) }))
  routes.forEach(checkReadable)
  return routes
}

const tagsOf = (ctx: CommandContext): Map<string, string> => {
  const tags = new Map([['block-size', String(blockSize)]])
  for (const text of list(ctx.options.tag)) {
    const at = text.indexOf('=')
    if (at < 1) throw usage(`--tag ${text}: expected KEY=VALUE`, 'pack')
    tags.set(text.slice(0, at), text.slice(at + 1))
  }
  return tags
}

/** Files keep their times; with SOURCE_DATE_EPOCH none is later. */
const latest = (ctx: CommandContext): number => {
  const text = ctx.env('SOURCE_DATE_EPOCH')
  if (!text) return Number.POSITIVE_INFINITY
  if (/^\d{1,11}$/.test(text)) return Number(text)
  throw new ZosError('ENV_EPOCH', `SOURCE_DATE_EPOCH=${text}: expected seconds since 1970`, { exit: ExitCode.config })
}

const pack = async (ctx: CommandContext, folder: string, request: Request): Promise<number> => {
  const { meta, stores, routes, tags } = request
  const start = performance.now()
  const newest = latest(ctx)
  const memoryKey = { folder, seal: sealVersion }
  const before = ((await ctx.memory.get('flist pack', memoryKey)) ?? {}) as unknown as FileMemory
  const isNamed = list(ctx.options.route).length > 0
  const checked = routes.filter((route) => isNamed || route.url.startsWith('dir:'))
  const [written, read] = [locationsOf(stores), locationsOf(checked)]
  const pool = new BlockPool()
  const progress = progressLine(ctx)
  const opened = await openRoutes(written, openStore(ctx), knownBlocks(before))
  try {
    const packer: FolderPacker = new FolderPacker(pool, opened, before, () =>
      progress.say(() => {
        const { files, bytes, sent, sentBytes } = packer.counts
        return `${files} files, ${sizeText(bytes)} · ${sent} blocks sent, ${sizeText(sentBytes)}`
      }),
    )
    const records = await ctx.files.readFolder(folder, packer, packer.known)
    const entries = records.map((record) =>
      entryOf(record, Math.min(record.mtime, newest), record.kind === 'file' ? packer.blocks(record.blob) : []),
    )
    const blocks = blocksOf({ entries })
    await checkRoutes(read, written, blocks, openStore(ctx), pool)
    const bytes = writeFlist({ entries, tags, routes })
    await ctx.files.replace(pathOf(ctx, meta), bytes)
    progress.clear()
    const files = records.flatMap((record) => (record.kind === 'file' ? [[record.path, record.blob] as const] : []))
    await ctx.memory.set('flist pack', memoryKey, packer.memory(files) as unknown as Json)
    tell(ctx, meta, {
      ...packer.counts,
      entries: entries.length,
      blocks: blocks.length,
      size: bytes.length,
      seconds: (performance.now() - start) / 1000,
    })
    if (checked.length < routes.length)
      ctx.err(
        `warning: readers find the blocks without keys at ${routes.map(({ url }) => url).join(', ')}; if that store wants keys: zos flist stores ${meta} --set URL\n`,
      )
    return ExitCode.ok
  } finally {
    progress.clear()
    closeRoutes(opened)
    await pool.close()
  }
}

interface Summary {
  readonly entries: number
  readonly files: number
  readonly known: number
  readonly bytes: number
  readonly blocks: number
  readonly sent: number
  readonly sentBytes: number
  readonly size: number
  readonly seconds: number
}

const tell = (ctx: CommandContext, meta: string, summary: Summary): void => {
  if (ctx.json) {
    ctx.out(`${JSON.stringify({ event: 'packed', flist: meta, ...summary })}\n`)
    return
  }
  const { entries, files, known, bytes, blocks, sent, sentBytes, size, seconds } = summary
  ctx.out(
    [
      `${meta}: ${entries} entries, ${files} files with ${sizeText(bytes)}, ${known} known from the last pack`,
      `  ${blocks} blocks: ${sent} sent with ${sizeText(sentBytes)}, ${blocks - sent} were there`,
      `  flist of ${sizeText(size)}, ${seconds.toFixed(1)} s`,
      '',
    ].join('\n'),
  )
}
