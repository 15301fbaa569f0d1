// The bill of materials: what taps said of packages, and which of them the finished tree has files of.
import type { Session } from '../engine/session.js'
import type { Output } from '../model/output.js'
import type { FileTree } from '../model/tree.js'
import { version } from '../version.js'

/** Name of the output; it describes the others. */
export const billName = 'sbom.spdx.json'

/** Owners of records: plugin and package. */
const ownersIn = (tree: FileTree): Set<string> => {
  const owners = new Set<string>()
  for (const { origin } of tree.records()) if (origin?.package) owners.add(`${origin.plugin} ${origin.package}`)
  return owners
}

/** The output `sbom.spdx.json` of these outputs. */
export const billOfMaterials = async (
  { config, settings, packages, lock, store }: Session,
  tree: FileTree,
  outputs: readonly Pick<Output, 'name' | 'blob'>[],
): Promise<Output> => {
  const { spdxDocument } = await import('../format/spdx.js')
  const owners = ownersIn(tree)
  const text = spdxDocument({
    name: config.name,
    version: `${config.arch}-${config.mode}-${lock.digest.slice(0, 12)}`,
    epoch: settings.epoch,
    tool: `zos-${version}`,
    files: outputs.map(({ name, blob }) => ({ name, sha256: blob.sha256 })),
    packages: [...packages.values()].map(({ plugin, ...one }) => ({
      isContained: owners.has(`${plugin} ${one.name}`),
      one,
    })),
  })
  const count = packages.size
  return {
    name: billName,
    plugin: 'core',
    format: 'spdx',
    blob: await store.blobs.put(text),
    note: `${count} package${count === 1 ? '' : 's'}`,
  }
}
