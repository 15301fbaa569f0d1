import type { Json } from './canonical.js'
import type { Blob } from './entry.js'
import type { FileTree } from './tree.js'

/** What a component gave: trees and files by slot, and facts such as a version or a commit. */
export interface Artifact {
  readonly trees?: Readonly<Record<string, FileTree>>
  readonly files?: Readonly<Record<string, Blob>>
  readonly facts?: Readonly<Record<string, Json>>
}

const refBrand = 'zos.ref'

/**
 * A reference to what another plugin makes, as plain data: a component of a plugin, and a slot of its artifact. The
 * plugin that owns it sees which references the config makes, with their `params`, through `plan.requested()`.
 */
export interface Ref {
  readonly $: typeof refBrand
  /** Plugin id. */
  readonly plugin: string
  /** Name of the component, unique within the plugin. */
  readonly component: string
  /** Slot in the artifact's trees or files; empty for the whole artifact. */
  readonly slot: string
  readonly params?: Json
}

export const ref = (plugin: string, component: string, slot = '', params?: Json): Ref => ({
  $: refBrand,
  plugin,
  component,
  slot,
  ...(params !== undefined && { params }),
})

export const isRef = (value: unknown): value is Ref =>
  typeof value === 'object' && value !== null && (value as { $?: unknown }).$ === refBrand

/** Id of the component that a reference points at: `<plugin>/<component>`. */
export const componentOf = (reference: Ref): string => `${reference.plugin}/${reference.component}`
