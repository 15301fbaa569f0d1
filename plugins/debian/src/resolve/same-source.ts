import { type BinaryPackage, relationsIn } from '../archive/binary-package.js'
import { Candidates } from './candidates.js'
import { mergeRequests, type PackageRequest } from './request.js'
import type { Universe } from './universe.js'
import { unknownPackage } from './unsolvable.js'

/**
 * Packages for a tree of their own: those named, and what they need of the same source package, so that a meta-package
 * brings what it stands for (`linux-image-6.12-cloud-amd64` its image) and no root file system around it. Sorted by
 * name. Throws `DEBIAN_UNKNOWN_PACKAGE`.
 */
export const packagesOfSameSource = (
  universe: Universe,
  requests: readonly PackageRequest[],
  prefer: ReadonlyMap<string, string> = new Map(),
): BinaryPackage[] => {
  const candidates = new Candidates(universe, prefer)
  const queue = mergeRequests(requests).map((request) => {
    const { name, suite, version } = request
    const found =
      suite !== undefined
        ? universe.versionIn(name, suite)
        : version !== undefined
          ? universe.versionsOf(name).find((binary) => binary.version === version)
          : candidates.of(name)
    if (!found) throw unknownPackage(request, universe)
    candidates.set(found)
    return found
  })
  const chosen = new Map<string, BinaryPackage>()
  for (let binary = queue.shift(); binary; binary = queue.shift()) {
    if (chosen.has(binary.name)) continue
    chosen.set(binary.name, binary)
    const { source, sourceVersion } = binary
    for (const field of ['Pre-Depends', 'Depends'] as const)
      for (const group of relationsIn(binary, field)) {
        const sibling = candidates
          .answersToAny(group)
          .find((answer) => answer.source === source && answer.sourceVersion === sourceVersion)
        if (sibling) queue.push(sibling)
      }
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
