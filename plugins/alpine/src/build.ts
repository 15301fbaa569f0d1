import {
  type Arch,
  type Artifact,
  type Component,
  DeltaBuilder,
  type Json,
  type Package,
  type TapContext,
  ZosError,
} from '@zos/core'
import { appletLinks } from './install/applet-links.js'
import type { PackageFacts, UnpackedPackage } from './install/facts.js'
import { layPackages } from './install/layers.js'
import { type RootFacts, rootTree } from './install/root-tree.js'
import { unpackApk } from './install/unpack.js'

/** Options of a component: its packages in install order, and what the image's own apk is told. */
export type ComponentOptions = {
  readonly kind: 'root' | 'tree'
  readonly packages: readonly {
    readonly name: string
    readonly source: string
    /** Checksum of the control segment, which its database has. */
    readonly control: string
    readonly tag?: string
  }[]
  readonly config?: RootConfig
  /** Set for a root that is only a toolchain: its packages are no part of the image, and nothing else comes into it. */
  readonly isToolchain?: true
}

/** What lies in the image's `/etc/apk`. */
export type RootConfig = {
  readonly arch: Arch
  readonly world: readonly string[]
  /** Lines of `/etc/apk/repositories`. */
  readonly repositories: readonly string[]
  /** Public keys by file name. */
  readonly keys: { readonly [name: string]: string }
}

/** Packages being unpacked at once: each holds its archive in memory. */
const width = 4

/** Unpacks each package once, whichever component needs it, and puts them into one tree. */
export const buildPackages = async (component: Component, ctx: TapContext): Promise<Artifact> => {
  const { kind, packages, config, isToolchain } = component.options as unknown as ComponentOptions
  const { plugin } = component
  const unpacked: UnpackedPackage[] = []
  const queue = [...packages.entries()]
  let done = 0
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, { name, source, control, tag }] = next
      const { blob } = await ctx.fetched(source)
      if (!blob) throw new TypeError(`the source ${source} gave no file`)
      ctx.progress(name, done++, packages.length)
      const input: Json = { name, plugin, sha256: blob.sha256 }
      const { trees, facts } = await ctx.remember('unpack-1', input, async () =>
        unpackApk(await ctx.blobs.read(blob), { name, plugin }, ctx.blobs),
      )
      const one = {
        name,
        control,
        tree: trees!.tree!,
        facts: facts as unknown as PackageFacts,
        ...(tag !== undefined && { tag }),
      }
      if (!isToolchain) ctx.package(billPackage(one, blob.sha256))
      unpacked[index] = one
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  if (kind === 'tree') return { trees: { tree: layPackages(unpacked, plugin).tree } }
  const root = await rootTree(unpacked, config!, plugin, ctx.blobs)
  const { unruled, applets } = root.facts as unknown as RootFacts
  if (unruled.length > 0) reportUnruled(unruled, ctx)
  if (!isToolchain) return root
  const tree = root.trees!.tree!
  const links = appletLinks({ get: (path) => tree.get(path), delta: () => new DeltaBuilder() }, applets)
  return { ...root, trees: { tree: tree.apply(links.build(), { plugin }) } }
}

/** The package in the bill of materials. Alpine's licences are SPDX expressions. */
const billPackage = ({ name, facts: { info } }: UnpackedPackage, sha256: string): Package => ({
  name,
  version: info.version,
  purl: `pkg:apk/alpine/${encodeURIComponent(name)}@${encodeURIComponent(info.version)}?arch=${info.arch}`,
  supplier: 'Alpine Linux',
  sha256,
  ...(info.license && { license: info.license }),
  ...(info.url && /^https?:\/\/\S+$/.test(info.url) && { homepage: info.url }),
})

/** Scripts that nothing stands for: the image may lack what they do. */
const reportUnruled = (unruled: RootFacts['unruled'], ctx: TapContext): void => {
  const list = unruled.map(({ name, scripts }) => `${name} (${scripts.join(', ')})`).join(', ')
  const message = `installation scripts were not run, and no rule says what the image needs of them: ${list}`
  const hint =
    "look at what they do (zos apk scripts NAME), and put what is missing into the image; see the plugin's README"
  if (ctx.mode === 'release') throw new ZosError('ALPINE_SCRIPTS', message, { hint, subject: unruled[0]!.name })
  ctx.warn('ALPINE_SCRIPTS', message, hint)
}
