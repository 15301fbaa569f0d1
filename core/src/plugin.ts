import type * as v from 'valibot'
import type { Hooks } from './hooks.js'
import type { Need } from './model/toolchain.js'

const brand = 'zos.plugin'

/** What a plugin's author writes. */
export interface PluginDefinition<Name extends string, Options, Refs extends object> {
  readonly name: Name
  readonly version: string
  /** `import.meta.url` of the file: its package's code is part of the key of the plugin's taps. */
  readonly code: string
  /** Checks options as a user wrote them; unknown keys are errors (use `v.strictObject`). */
  readonly options: v.GenericSchema<Options>
  /** Environment variables that override an option, by the option's dotted path. */
  readonly env?: Readonly<Record<string, string>>
  /** Programs of the host that the plugin uses. */
  readonly needs?: readonly Need[]
  /** References that the descriptor offers to other plugins' options. */
  readonly refs?: (id: string) => Refs
  /** Only taps. */
  apply(hooks: Hooks, options: Options, plugin: { readonly id: string }): void
}

/** What a factory returns: plain data, nothing has run. Its references are members of it. */
export interface Descriptor<Id extends string = string, Options = unknown> {
  readonly $: typeof brand
  readonly id: Id
  readonly options: Options
  // biome-ignore lint/suspicious/noExplicitAny: a list of plugins holds all kinds of options; each is checked by its schema.
  readonly definition: PluginDefinition<string, any, object>
}

/** A plugin's factory. Two plugins of a kind in one config need explicit ids. */
export type PluginFactory<Name extends string, Options, Refs extends object> = {
  (
    ...options: Record<string, never> extends Options ? [options?: Options] : [options: Options]
  ): Descriptor<Name, Options> & Refs
  /** The same plugin under another id. */
  as<Id extends string>(id: Id, options: Options): Descriptor<Id, Options> & Refs
}

/**
 * Defines a plugin and gives its factory.
 *
 *     export const acmeBoard = definePlugin<AcmeOptions>()({ name: 'acme-board', …, apply(hooks, options) { … } })
 */
export const definePlugin =
  <Options>() =>
  <Name extends string, Refs extends object = Record<never, never>>(
    definition: PluginDefinition<Name, Options, Refs>,
  ): PluginFactory<Name, Options, Refs> => {
    const make = <Id extends string>(id: Id, options: Options): Descriptor<Id, Options> & Refs => ({
      ...(definition.refs?.(id) as Refs),
      $: brand,
      id,
      options,
      definition,
    })
    const factory = (options?: Options) => make(definition.name, (options ?? {}) as Options)
    return Object.assign(factory, { as: make }) as PluginFactory<Name, Options, Refs>
  }

export const isDescriptor = (value: unknown): value is Descriptor =>
  typeof value === 'object' && value !== null && (value as { $?: unknown }).$ === brand
