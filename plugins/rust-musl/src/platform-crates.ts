import { ZosError } from '@zos/core'

const METADATA_LIMIT = 64 * 1024 ** 2

/**
 * Packages that take part in a build for the platforms that cargo was asked about, as `name-version`; of the output of
 * `cargo metadata --format-version 1 --filter-platform …`. Throws `RUST_METADATA` for anything else.
 */
export const packagesInBuild = (metadata: string): ReadonlySet<string> => {
  const fail = (what: string): ZosError => new ZosError('RUST_METADATA', `cargo metadata ${what}`)
  if (metadata.length > METADATA_LIMIT) throw fail(`gave ${metadata.length} characters`)
  let parsed: { packages?: unknown; resolve?: { nodes?: unknown } | null }
  try {
    parsed = JSON.parse(metadata)
  } catch (cause) {
    throw fail(`gave no JSON: ${(cause as Error).message}`)
  }
  const { packages, resolve } = parsed ?? {}
  const nodes = resolve?.nodes
  if (!Array.isArray(packages) || !Array.isArray(nodes)) throw fail('gave neither packages nor what they resolve to')
  const inBuild = new Set(nodes.map((node: { id?: unknown }) => node?.id))
  const built = packages.filter((one: { id?: unknown } | null) => one && inBuild.has(one.id))
  return new Set(built.map(({ name, version }: { name?: unknown; version?: unknown }) => `${name}-${version}`))
}

/**
 * `.cargo-checksum.json` of a crate of which only the manifest is kept, since no platform of the build wants it: cargo
 * reads the manifests of all packages in a lock file, and compiles none of these. Format: directory sources of cargo.
 */
export const manifestOnlyChecksum = (checksum: string | null): string =>
  JSON.stringify({ files: {}, package: checksum })
