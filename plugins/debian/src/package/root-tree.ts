import { type Artifact, type Blobs, DeltaBuilder, FileTree, type Json } from '@zos/core'
import { busyboxApplets } from './applets.js'
import { type AppliedRule, applyRules } from './apply-rules.js'
import { dpkgDatabase, type InstalledPackage } from './dpkg-status.js'
import { controlField, layPackages, type UnpackedPackage } from './layers.js'
import { mergedFolders, mergedPath } from './merge-usr.js'
import { rules } from './rules.js'

/** Facts of the root's artifact. */
export type RootFacts = {
  /** Versions by name. */
  readonly packages: Readonly<Record<string, string>>
  /** Packages with installation scripts that may matter and that no rule stands for. */
  readonly unruled: readonly string[]
  /** Programs inside the busybox of the image, and its path; links are made where nothing else brings them. */
  readonly applets?: { readonly busybox: string; readonly names: readonly string[] }
}

/** Links at the root for what lies below `/usr`; those that every Debian has are there even if nothing is in them yet. */
const mergedLinks = (tree: FileTree, plugin: string): FileTree => {
  const delta = new DeltaBuilder()
  for (const name of mergedFolders) {
    const always = name === 'bin' || name === 'sbin' || name === 'lib'
    if (always) delta.directory(`/usr/${name}`)
    if (always || tree.get(`/usr/${name}`)) delta.symlink(`/${name}`, `usr/${name}`)
  }
  return tree.apply(delta.build(), { plugin })
}

/** A tree of packages that is no root file system: their files, and the links of the merged /usr. */
export const packagesTree = (packages: readonly UnpackedPackage[], plugin: string): FileTree =>
  mergedLinks(layPackages(FileTree.empty, packages, plugin), plugin)

/** The root file system: packages, what stands for their scripts, accounts, and dpkg's database. */
export const rootTree = async (
  packages: readonly UnpackedPackage[],
  { plugin, release }: { readonly plugin: string; readonly release: string },
  blobs: Blobs,
): Promise<Artifact> => {
  const laid = packagesTree(packages, plugin)
  const applied = packages.map(({ name, facts }): AppliedRule => {
    return { name, rule: rules[name] ?? {}, alternatives: facts.alternatives }
  })
  const delta = await applyRules(laid, applied, release, blobs)
  for (const path of ['/var/lib/dpkg/info', '/var/lib/dpkg/updates', '/var/lib/dpkg/triggers']) delta.directory(path)
  const installed = packages.map((one) => installedPackage(one, laid))
  for (const [path, text] of Object.entries(dpkgDatabase(installed))) delta.file(path, text, { package: 'dpkg' })
  const built = delta.build()
  for (const content of built.contents.values()) await blobs.put(content)
  const applets = await appletsOf(laid, applied, blobs)
  const facts: RootFacts = {
    packages: Object.fromEntries(packages.map((one) => [one.name, controlField(one, 'Version') ?? ''])),
    unruled: packages
      .filter(({ name, facts }) => facts.scripts.length > 0 && !rules[name])
      .map(({ name }) => name)
      .sort(),
    ...(applets && { applets }),
  }
  return { trees: { tree: laid.apply(built, { plugin }) }, facts: facts as Record<string, Json> }
}

/** As dpkg would list it: without files that another package has taken over. */
const installedPackage = (one: UnpackedPackage, tree: FileTree): InstalledPackage => {
  const { name, facts } = one
  const isTaken = (path: string): boolean => {
    const entry = tree.get(mergedPath(path))
    const own = one.tree.get(mergedPath(path))
    return entry?.kind === 'file' && own?.kind === 'file' && entry.blob.sha256 !== own.blob.sha256
  }
  const kept = (path: string): boolean => !isTaken(path)
  return {
    name,
    architecture: controlField(one, 'Architecture') ?? '',
    multiArch: controlField(one, 'Multi-Arch') ?? 'no',
    control: facts.control,
    paths: facts.paths.filter(kept),
    conffiles: facts.conffiles.filter(kept),
    md5: Object.fromEntries(Object.entries(facts.md5).filter(([path]) => kept(path))),
  }
}

const appletsOf = async (
  tree: FileTree,
  applied: readonly AppliedRule[],
  blobs: Blobs,
): Promise<RootFacts['applets'] | undefined> => {
  const busybox = applied.find(({ rule }) => rule.applets !== undefined)?.rule.applets
  const entry = busybox === undefined ? undefined : tree.get(busybox)
  if (busybox === undefined || entry?.kind !== 'file') return undefined
  return { busybox, names: busyboxApplets(await blobs.read(entry.blob), busybox) }
}
