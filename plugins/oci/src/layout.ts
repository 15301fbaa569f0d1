// An OCI image layout (image-spec v1.1, image-layout.md): a folder that registry tools push and pull as it stands.
import { type Output, sha256 } from '@zos/core'

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  artifact: 'application/vnd.zos.image.v1',
  file: 'application/octet-stream',
} as const

/** Annotation that holds a manifest's tag within an index. */
const refName = 'org.opencontainers.image.ref.name'

export const layoutFile = '{"imageLayoutVersion":"1.0.0"}'
/** The config of an artifact that needs none: an empty object. */
export const emptyConfig = '{}'

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

export const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`

export const descriptorOf = (text: string, mediaType: string): Descriptor => ({
  mediaType,
  digest: `sha256:${sha256(text)}`,
  size: Buffer.byteLength(text),
})

/** The manifest of an artifact whose layers are the outputs, each titled with its name. `created`: RFC 3339. */
export const manifestText = (outputs: readonly Output[], created: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    artifactType: types.artifact,
    config: descriptorOf(emptyConfig, types.empty),
    layers: outputs.map(({ name, blob }) => ({
      mediaType: types.file,
      digest: `sha256:${blob.sha256}`,
      size: blob.size,
      annotations: { 'org.opencontainers.image.title': name },
    })),
    annotations: { 'org.opencontainers.image.created': created },
  })

/** An index in which `tag` stands for this manifest, and every other entry of the old index stays; `undefined`: it is no index. */
export const indexText = (old: string | undefined, manifest: string, tag: string): string | undefined => {
  let manifests: readonly Descriptor[] = []
  if (old !== undefined) {
    try {
      const parsed = JSON.parse(old) as { manifests?: unknown }
      if (!Array.isArray(parsed.manifests)) return undefined
      manifests = parsed.manifests as readonly Descriptor[]
    } catch {
      return undefined
    }
  }
  const kept = manifests.filter(({ annotations }) => annotations?.[refName] !== tag)
  const added = {
    ...descriptorOf(manifest, types.manifest),
    artifactType: types.artifact,
    annotations: { [refName]: tag },
  }
  return JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: [...kept, added] })
}
