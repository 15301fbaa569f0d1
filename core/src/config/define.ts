import type { Arch, Mode } from '../context.js'
import type { Ref } from '../model/artifact.js'
import type { Descriptor } from '../plugin.js'

/** What a config function gets. */
export interface ConfigInput {
  /** The environment; which variables are read becomes part of what the build depends on. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly mode: Mode
  readonly arch: Arch
}

/** How the archive of the root file system is compressed. */
export interface InitramfsOptions {
  /** `xz` where nothing else is said. The kernel needs the matching `CONFIG_RD_*`. */
  readonly compression?: 'xz' | 'zstd' | 'gzip' | 'none'
  /** Level of the compressor: xz 0–9 (6), zstd 1–22 (19), gzip 1–9 (9). */
  readonly level?: number
}

/** How large outputs may become. */
export interface SizeOptions {
  /** By output (`initramfs`, `vmlinuz.efi`): bytes, or a text such as `15 MB` or `12.5 MiB`. One that has more fails the build. */
  readonly budget?: Readonly<Record<string, number | string>>
}

export interface UserConfig<Plugins extends readonly Descriptor[] = readonly Descriptor[]> {
  /** Name of the image; a variant's outputs lie in `dist/<name>/`. */
  readonly name: string
  /** Architecture of the image; `x86_64` where nothing else is said. TARGETARCH overrides it. */
  readonly arch?: Arch
  readonly plugins: Plugins
  readonly initramfs?: InitramfsOptions
  readonly size?: SizeOptions
  /**
   * The root file system that commands of the build run in, in place of the host's own programs: a tree that a plugin
   * makes, such as `tools.root` of `debian.as('tools', { …, image: false })`. Whatever machine builds, the bytes are the same.
   */
  readonly toolchain?: Ref
  /** Where `zos build --publish` sends outputs: references that plugins offer. */
  readonly publish?: readonly Ref[]
}

/** Objects merge, arrays and scalars replace. */
export type Changes<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Changes<T[K]> }
    : T

/** What a variant says: only what differs from its base. */
export type VariantConfig<Plugins extends readonly Descriptor[]> = {
  readonly name: string
  readonly arch?: Arch
  readonly initramfs?: InitramfsOptions
  readonly size?: SizeOptions
  /** Variables that the base's function sees where the environment does not set them: `{ KERNEL_VERSION: 'lts' }`. */
  readonly env?: Readonly<Record<string, string>>
  /** In place of the base's. */
  readonly toolchain?: Ref
  /** Options by plugin id, or `false` to leave the plugin out. */
  readonly plugins?: {
    readonly [P in Plugins[number] as P['id']]?: false | Changes<P['options']>
  }
}

const brand = 'zos.config'

/** A config as `zos` loads it: the base's function, and the chain of variants on top of it. */
export interface ConfigModule<Plugins extends readonly Descriptor[] = readonly Descriptor[]> {
  readonly $: typeof brand
  readonly make: (input: ConfigInput) => UserConfig<Plugins>
  readonly changes: readonly VariantConfig<Plugins>[]
  /** A config that differs from this one in what `changes` says. */
  variant(changes: VariantConfig<Plugins>): ConfigModule<Plugins>
}

const moduleOf = <P extends readonly Descriptor[]>(
  make: (input: ConfigInput) => UserConfig<P>,
  changes: readonly VariantConfig<P>[],
): ConfigModule<P> => ({
  $: brand,
  make,
  changes,
  variant: (more) => moduleOf(make, [...changes, more]),
})

/** Types a config; nothing runs until `zos` loads it. */
export const defineConfig = <const Plugins extends readonly Descriptor[]>(
  config: UserConfig<Plugins> | ((input: ConfigInput) => UserConfig<Plugins>),
): ConfigModule<Plugins> => moduleOf(typeof config === 'function' ? config : () => config, [])

export const isConfigModule = (value: unknown): value is ConfigModule =>
  typeof value === 'object' && value !== null && (value as { $?: unknown }).$ === brand
