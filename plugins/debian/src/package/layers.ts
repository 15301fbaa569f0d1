import { type Artifact, DeltaBuilder, FileTree } from '@zos/core'
import { parseDependency, versionAnswers } from '../control/dependency.js'
import { rules } from './rules.js'
import type { PackageFacts } from './unpack.js'

/** A package as it lies unpacked in the store. */
export interface UnpackedPackage {
  readonly name: string
  readonly tree: FileTree
  readonly facts: PackageFacts
}

export const unpackedPackage = (name: string, { trees, facts }: Artifact): UnpackedPackage => ({
  name,
  tree: trees?.tree ?? FileTree.empty,
  facts: facts as unknown as PackageFacts,
})

export const controlField = ({ facts }: UnpackedPackage, name: string): string | undefined =>
  facts.control.find(([field]) => field.toLowerCase() === name.toLowerCase())?.[1]

/** Names of installed packages whose files a package may take over (deb-control(5), Replaces). */
const replacedBy = (one: UnpackedPackage, installed: ReadonlyMap<string, UnpackedPackage>): string[] => {
  const diverted = (rules[one.name]?.diverts ?? []).filter((name) => installed.has(name))
  const names = parseDependency(controlField(one, 'Replaces') ?? '', { subject: `${one.name}, Replaces` })
    .flat()
    .filter((relation) => {
      const other = installed.get(relation.name)
      return other && other !== one && versionAnswers(relation, controlField(other, 'Version'))
    })
    .map(({ name }) => name)
  return [...new Set([...names, ...diverted])].sort()
}

/** Packages by name, but each after those whose files it takes over; of two that replace each other the later name wins. */
const ordered = (
  packages: readonly UnpackedPackage[],
  replaced: ReadonlyMap<string, readonly string[]>,
): UnpackedPackage[] => {
  const byName = new Map([...packages].sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => [one.name, one]))
  const done = new Set<UnpackedPackage>()
  const visit = (one: UnpackedPackage, above: ReadonlySet<UnpackedPackage>): void => {
    if (done.has(one) || above.has(one)) return
    for (const name of replaced.get(one.name) ?? []) visit(byName.get(name)!, new Set([...above, one]))
    done.add(one)
  }
  for (const one of byName.values()) visit(one, new Set())
  return [...done]
}

/**
 * All packages in one tree. A file that two of them bring differently is `TREE_CONFLICT`, unless one of them
 * `Replaces` the other.
 */
export const layPackages = (base: FileTree, packages: readonly UnpackedPackage[], plugin: string): FileTree => {
  const installed = new Map(packages.map((one) => [one.name, one]))
  const replaced = new Map(packages.map((one) => [one.name, replacedBy(one, installed)]))
  let tree = base
  for (const one of ordered(packages, replaced)) {
    const delta = new DeltaBuilder({ over: replaced.get(one.name)! }).tree(one.tree)
    tree = tree.apply(delta.build(), { plugin })
  }
  return tree
}
