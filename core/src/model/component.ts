import type { Ref } from './artifact.js'
import type { Json } from './canonical.js'

/** Something to build. Components form a graph by `needs`; independent ones are built at the same time. */
export interface ComponentSpec {
  /** Unique within the plugin that declares it; its id is `<plugin>/<name>`. */
  readonly name: string
  /** Selects the tap of the `build` hook. */
  readonly kind: string
  /** Plain data that the tap gets; part of the step's key. */
  readonly options: Json
  /** Artifacts that the tap may ask for. */
  readonly needs?: readonly Ref[]
  /** Names of the plugin's own sources that the tap may ask for. */
  readonly sources?: readonly string[]
}

export interface Component extends ComponentSpec {
  readonly id: string
  readonly plugin: string
}
