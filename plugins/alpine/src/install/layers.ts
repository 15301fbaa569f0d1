import { DeltaBuilder, FileTree, ZosError } from '@zos/core'
import { type Dependency, readDependency, versionFits } from '../format/dependency.js'
import type { UnpackedPackage } from './facts.js'

/** All packages in one tree, and which files of each are not in it because another package has them. */
export interface Laid {
  readonly tree: FileTree
  readonly lost: ReadonlyMap<UnpackedPackage, ReadonlySet<string>>
}

/** The priority with which one package takes files of another, as `replaces` says; -1 where it may not. */
const replacePriority = (one: UnpackedPackage, other: UnpackedPackage): number => {
  const { replaces = [], replacesPriority = 0 } = one.facts.info
  const isMeant = replaces
    .map((text) => readDependency(text))
    .some((need): boolean => need !== undefined && need.name === other.name && fits(need, other))
  return isMeant ? replacesPriority : -1
}

const fits = (need: Dependency, { facts, control }: UnpackedPackage): boolean =>
  versionFits(need, facts.info.version, control) !== need.conflict

/**
 * All packages in one tree, in install order. A file that two of them bring goes by apk's rules: packages of one origin
 * follow each other, `replaces` decides by priority; else it is `ALPINE_CONFLICT` with both, unless both are the same.
 */
export const layPackages = (packages: readonly UnpackedPackage[], plugin: string): Laid => {
  const owner = new Map<string, UnpackedPackage>()
  const lost = new Map(packages.map((one) => [one, new Set<string>()]))
  for (const one of packages)
    for (const path of one.facts.paths) {
      if (path.endsWith('/')) continue
      const other = owner.get(path)
      if (!other || takesOver(one, other, path)) {
        if (other) lost.get(other)!.add(path)
        owner.set(path, one)
      } else lost.get(one)!.add(path)
    }
  let tree = FileTree.empty
  for (const one of packages) {
    const gone = lost.get(one)!
    const own = gone.size === 0 ? one.tree : one.tree.filter(({ path }) => !gone.has(path))
    tree = tree.apply(new DeltaBuilder().tree(own).build(), { plugin })
  }
  return { tree, lost }
}

/** Whether the package that comes later takes a file over; throws where neither may have it. */
const takesOver = (later: UnpackedPackage, first: UnpackedPackage, path: string): boolean => {
  const origin = later.facts.info.origin
  if (origin !== undefined && origin === first.facts.info.origin) return true
  const [ours, theirs] = [replacePriority(later, first), replacePriority(first, later)]
  if (theirs > ours) return false
  if (ours >= 0) return true
  const [a, b] = [later.tree.get(path), first.tree.get(path)]
  const isSame =
    a?.kind === 'file' && b?.kind === 'file'
      ? a.blob.sha256 === b.blob.sha256
      : a?.kind === 'symlink' && b?.kind === 'symlink' && a.target === b.target
  if (isSame) return false
  throw new ZosError(
    'ALPINE_CONFLICT',
    `both ${first.name} and ${later.name} bring ${path}, and neither replaces the other`,
    {
      subject: later.name,
      hint: 'take one of the two packages out',
    },
  )
}
