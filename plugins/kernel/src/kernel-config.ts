import { ZosError } from '@zos/core'

/** A wish for the kernel's config: `CONFIG_ACME=m`, `CONFIG_X=n`, `CONFIG_NR_CPUS=64`, `CONFIG_NAME="text"`. */
export type ConfigWish = `CONFIG_${string}=${string}`

/** A config: symbol with `CONFIG_` → `y`, `m`, a number as written, or a text in its quotes. What is not set is absent. */
export type KernelConfig = ReadonlyMap<string, string>

const code = 'KERNEL_CONFIG'
const limit = 16 * 1024 * 1024
const assignment = /^(CONFIG_[A-Za-z0-9_]+)=(y|m|n|-?\d+|0[xX][0-9a-fA-F]+|"(?:[^"\\]|\\.)*")$/
const unset = /^# (CONFIG_[A-Za-z0-9_]+) is not set$/

/** Lines of a config or of a fragment as they stand, each with its number; the same symbol may come again. */
export const configLines = (
  text: string,
  file: string,
): { readonly symbol: string; readonly value: string; readonly line: number }[] => {
  if (text.length > limit) throw new ZosError(code, `${file} has more than ${limit} characters`)
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.trimEnd()
    const off = unset.exec(line)?.[1]
    if (line === '' || (off === undefined && line.startsWith('#'))) return []
    const [, symbol, value] = off === undefined ? (assignment.exec(line) ?? []) : ['', off, 'n']
    if (symbol !== undefined && value !== undefined) return [{ symbol, value, line: index + 1 }]
    throw new ZosError(
      code,
      `${file}:${index + 1}: found ${JSON.stringify(line.slice(0, 80))}, expected CONFIG_X=value or # CONFIG_X is not set`,
    )
  })
}

/** Reads a kernel's `.config`. A symbol twice, and a line that is neither comment nor assignment, are errors naming the line. */
export const parseKernelConfig = (text: string, file: string): KernelConfig => {
  const seen = new Set<string>()
  const config = new Map<string, string>()
  for (const { symbol, value, line } of configLines(text, file)) {
    if (seen.has(symbol)) throw new ZosError(code, `${file}:${line}: ${symbol} a second time`)
    seen.add(symbol)
    if (value !== 'n') config.set(symbol, value)
  }
  return config
}

/** A wish with the plugin that has it. */
export interface WishedConfig {
  readonly wish: string
  readonly by: string
}

/** Splits a wish into symbol and value; a wish of another form is an error naming who has it. */
export const parseConfigWish = ({ wish, by }: WishedConfig): { symbol: string; value: string } => {
  const [, symbol, value] = assignment.exec(wish) ?? []
  if (symbol !== undefined && value !== undefined) return { symbol, value }
  throw new ZosError(
    code,
    `${by} wishes ${JSON.stringify(wish.slice(0, 80))}, expected CONFIG_NAME=y, =m, =n, =number or ="text"`,
  )
}

/**
 * Checks wishes against the config that a prebuilt kernel was made with. `=m` is also fulfilled by `=y`: the driver is
 * there. All that are not fulfilled come in one error with wisher, wanted and found.
 */
export const checkConfigWishes = (config: KernelConfig, wishes: readonly WishedConfig[], kernel: string): void => {
  const unmet = wishes.flatMap((wished) => {
    const { symbol, value } = parseConfigWish(wished)
    const found = config.get(symbol) ?? 'n'
    return found === value || (value === 'm' && found === 'y')
      ? []
      : [`${wished.by} wants ${symbol}=${value}, kernel ${kernel} has ${symbol}=${found}`]
  })
  if (unmet.length === 0) return
  throw new ZosError('KERNEL_CONFIG_UNMET', unmet.join('\n'), {
    hint: 'a prebuilt kernel cannot be changed: take another kernel package, or build one from source',
  })
}

const decompressors = {
  none: undefined,
  gzip: 'CONFIG_RD_GZIP',
  xz: 'CONFIG_RD_XZ',
  zstd: 'CONFIG_RD_ZSTD',
} as const
export type InitramfsCompression = keyof typeof decompressors

/** Which compression an initramfs has, by its first bytes; `none` for a bare archive. */
export const compressionOf = (initramfs: Uint8Array): InitramfsCompression => {
  const begins = (...bytes: number[]): boolean => bytes.every((byte, at) => initramfs[at] === byte)
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return 'xz'
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  return begins(0x1f, 0x8b) ? 'gzip' : 'none'
}

/** What a kernel lacks to unpack an initramfs with this compression: symbols that would have to be `y`. */
export const lackingForInitramfs = (config: KernelConfig, compression: InitramfsCompression): string[] =>
  lacking(config, ['CONFIG_BLK_DEV_INITRD', ...(decompressors[compression] ? [decompressors[compression]] : [])])

/** What a kernel lacks to be started by EFI firmware itself, as the `.linux` section of a UKI is. */
export const lackingForEfi = (config: KernelConfig): string[] => lacking(config, ['CONFIG_EFI', 'CONFIG_EFI_STUB'])

const lacking = (config: KernelConfig, symbols: readonly string[]): string[] =>
  symbols.filter((symbol) => config.get(symbol) !== 'y')
