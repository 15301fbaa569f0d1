// What the config of a kernel that is compiled here is made of: base, fragments, wishes, and what the build itself needs.
import { type TapContext, ZosError } from '@zos/core'
import { configLines, parseConfigWish } from './kernel-config.js'
import type { CompiledKernelOptions, ConfigOptions } from './options.js'
import type { ConfigLine } from './refused.js'
import { kernelConfig } from './wishes.js'

const target = /^[a-z0-9_]+config$/

/** Options of the config in their long form. */
export const configOptions = ({ config }: Pick<CompiledKernelOptions, 'config'>): Required<ConfigOptions> => ({
  fragments: [],
  refused: 'error',
  ...(typeof config === 'string' ? { base: config } : config),
})

export interface Settings {
  /** A target of the kernel's own such as `tinyconfig`, or the text of a config. */
  readonly base: { readonly target: string } | { readonly text: string }
  /** All lines beyond the base, in the order in which they count more and more. */
  readonly lines: readonly ConfigLine[]
}

/** Reads the files, and adds the wishes. Wrong lines are errors with their place. */
export const kernelSettings = async (ctx: TapContext, options: CompiledKernelOptions): Promise<Settings> => {
  const { base, fragments } = configOptions(options)
  const lines: ConfigLine[] = []
  for (const file of fragments)
    for (const { symbol, value, line } of configLines(await ctx.project.text(file), file))
      lines.push({ symbol, value, by: `${file}:${line}` })
  lines.push(...ownLines(options, ctx.arch))
  lines.push(...settledLines(ctx))
  if (target.test(base)) return { base: { target: base }, lines }
  const text = await ctx.project.text(base)
  configLines(text, base)
  return { base: { text }, lines }
}

/** Where one plugin is content with a module and another wants it built in, it is built in. */
const settledLines = (ctx: TapContext): ConfigLine[] => {
  const wished = new Map<string, ConfigLine>()
  for (const wish of ctx.settled(kernelConfig)) {
    const line = { ...parseConfigWish(wish), by: wish.by }
    const other = wished.get(line.symbol)
    if (!other || line.value === 'y') wished.set(line.symbol, line)
  }
  return [...wished.values()]
}

/** What embedding needs, and what would make the same sources give other bytes. */
const ownLines = ({ embed, localVersion, ...more }: CompiledKernelOptions, arch: string): ConfigLine[] => {
  const by = `kernel({ embed: '${embed}' })`
  const y = (symbol: string): ConfigLine => ({ symbol, value: 'y', by })
  const cmdline = embed === 'builtin' ? (more as { readonly cmdline?: string }).cmdline : undefined
  return [
    y('CONFIG_MODULES'),
    y('CONFIG_BLK_DEV_INITRD'),
    ...(embed === 'none' ? [] : [y('CONFIG_EFI'), y('CONFIG_EFI_STUB')]),
    ...(localVersion === undefined ? [] : [text('CONFIG_LOCALVERSION', localVersion, 'kernel({ localVersion })')]),
    ...(cmdline === undefined
      ? []
      : [
          ...(arch === 'x86_64' ? [{ symbol: 'CONFIG_CMDLINE_BOOL', value: 'y', by: 'kernel({ cmdline })' }] : []),
          text('CONFIG_CMDLINE', cmdline, 'kernel({ cmdline })'),
        ]),
    { symbol: 'CONFIG_LOCALVERSION_AUTO', value: 'n', by },
    { symbol: 'CONFIG_MODULE_COMPRESS', value: 'n', by: 'kernel({ moduleCompression })' },
  ]
}

/** A text in Kconfig's quotes. */
const text = (symbol: string, value: string, by: string): ConfigLine => ({
  symbol,
  value: `"${value.replace(/["\\]/g, '\\$&')}"`,
  by,
})

/**
 * The lines as a text for the end of `.config`. The archive to embed is named at the link, not here: a config that named
 * it would have it compiled in.
 */
export const linesText = (lines: readonly ConfigLine[]): string =>
  [
    ...lines.map(({ symbol, value }) => (value === 'n' ? `# ${symbol} is not set` : `${symbol}=${value}`)),
    'CONFIG_INITRAMFS_SOURCE=""',
    '',
  ].join('\n')

/** Release of a kernel: what the sources say, then what the config adds. `version` has a line a part. */
export const releaseOf = (version: string, localVersion: string | undefined): string => {
  const release = `${version.replace(/\s+/g, '')}${localVersion?.replace(/^"(.*)"$/, '$1') ?? ''}`
  if (/^[!-~]{1,64}$/.test(release)) return release
  throw new ZosError(
    'KERNEL_RELEASE',
    `${JSON.stringify(release)} is no kernel release: 1 to 64 characters without spaces`,
  )
}
