import { type Artifact, type Component, DeltaBuilder, type Json, type TapContext } from '@zos/core'
import { InFlight } from '@zos/core/format'
import { billPackage } from './bill.js'
import { appletLinks } from './package/applet-links.js'
import { type UnpackedPackage, unpackedPackage } from './package/layers.js'
import { packagesTree, type RootFacts, rootTree } from './package/root-tree.js'
import { unpackDeb } from './package/unpack.js'

/** Options of a component: its packages, and the sources that they come from. */
export type ComponentOptions = {
  readonly kind: 'root' | 'tree'
  readonly documentation: boolean
  /** Code name of the release, for os-release where base-files does not bring it. */
  readonly release: string
  /** Source names by package name. */
  readonly packages: { readonly [name: string]: string }
  /** Set for a root that is only a toolchain: its packages are no part of the image, and nothing else comes into it. */
  readonly isToolchain?: true
}

/** Packages being unpacked at once: each holds its archive in memory, and a large one is unpacked alone. */
const atOnce = { tasks: 4, cost: 16 << 20 }

/** Unpacks each package once, whichever component needs it, and puts them into one tree. */
export const buildPackages = async (component: Component, ctx: TapContext): Promise<Artifact> => {
  const { kind, documentation, release, packages, isToolchain } = component.options as unknown as ComponentOptions
  const { plugin } = component
  const names = Object.keys(packages).sort()
  const unpacked: UnpackedPackage[] = []
  const work = new InFlight(atOnce)
  try {
    for (const name of names) {
      const { blob } = await ctx.fetched(packages[name]!)
      if (!blob) throw new TypeError(`the source ${packages[name]} gave no file`)
      await work.add(blob.size, async () => {
        ctx.progress(name, unpacked.length, names.length)
        const options = { name, plugin, documentation }
        const input: Json = { ...options, sha256: blob.sha256 }
        const artifact = await ctx.remember('unpack-2', input, async () =>
          unpackDeb(await ctx.blobs.read(blob), options, ctx.blobs),
        )
        const one = unpackedPackage(name, artifact)
        if (!isToolchain) ctx.package(await billPackage(one, blob.sha256, ctx))
        unpacked.push(one)
      })
    }
    await work.done()
  } finally {
    await work.settle()
  }
  unpacked.sort((a, b) => (a.name < b.name ? -1 : 1))
  if (kind === 'tree') return { trees: { tree: packagesTree(unpacked, plugin) } }
  const root = await rootTree(unpacked, { plugin, release }, ctx.blobs)
  const { unruled, applets } = root.facts as unknown as RootFacts
  if (unruled.length > 0)
    ctx.warn(
      'DEBIAN_SCRIPTS',
      `installation scripts of ${unruled.join(', ')} were not run, and no rule says what the image needs of them`,
      "look at what they do (dpkg-deb --control), and put what is missing into the image; see the plugin's README",
    )
  if (!isToolchain) return root
  const tree = root.trees!.tree!
  const links = appletLinks({ list: (path) => tree.list(path), delta: () => new DeltaBuilder() }, applets)
  return { ...root, trees: { tree: tree.apply(links.build(), { plugin }) } }
}
