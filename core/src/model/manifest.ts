import type { Json } from './canonical.js'

/** `manifest.json` of an output folder. */
export interface Manifest {
  readonly version: 1
  readonly name: string
  readonly arch: string
  readonly mode: string
  readonly epoch: number
  /** SHA-256 of the lock's sections that this build used. */
  readonly lock: string
  /** What actions ran with: by plugin and title, the identity that is in their keys. */
  readonly toolchains: Readonly<Record<string, { readonly identity: string; readonly title: string }>>
  /** Commands whose results are in the outputs: the digest is the key under which a store has the result. */
  readonly actions: readonly { readonly step: string; readonly name: string; readonly digest: string }[]
  readonly outputs: readonly ManifestOutput[]
}

export interface ManifestOutput {
  readonly name: string
  readonly sha256: string
  /** Bytes. */
  readonly size: number
  readonly plugin: string
  readonly format: string
  readonly aliases: readonly string[]
  readonly note?: string
  readonly facts?: Readonly<Record<string, Json>>
}
