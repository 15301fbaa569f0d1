// A flist component: which part of a tree it holds, what it is called, and where its readers are sent.
import { type Artifact, type FileTree, type TapContext, ZosError } from '@zos/core'
import { blockSize } from './block.js'
import type { FlistName } from './image.js'
import type { RfsOptions } from './options.js'
import { packTree } from './pack-tree.js'
import { embeddedRoutes } from './stores.js'

export const buildFlist = async (ctx: TapContext, name: FlistName, options: RfsOptions): Promise<Artifact> => {
  const { tree, facts } = name === 'modules' ? await modulesTree(ctx, options) : await firmwareTree(ctx, options)
  const routes = await embeddedRoutes(ctx, options.store)
  const description = name === 'modules' ? `modules of Linux ${facts.release}` : `firmware ${facts.tag}`
  const tags = { 'block-size': String(blockSize), description }
  const artifact = await packTree(ctx, { tree, routes, tags })
  return { ...artifact, facts: { ...artifact.facts, ...facts, overlay: options.flists.besides !== undefined } }
}

interface Part {
  readonly tree: FileTree
  readonly facts: { readonly release?: string; readonly tag?: string }
}

/** All modules with their indexes, rooted at the release's folder; without those that the image has, by option. */
const modulesTree = async (ctx: TapContext, { flists }: RfsOptions): Promise<Part> => {
  const all = await ctx.tree(flists.modules!)
  const [release, ...others] = all.list('/lib/modules')
  if (release === undefined || others.length > 0)
    throw new ZosError(
      'RFS_MODULES',
      `flists.modules: found ${1 + others.length} kernels below /lib/modules, expected one`,
      {
        hint: 'name the modules of one kernel: rfs({ flists: { modules: linux.modules } })',
      },
    )
  const folder = all.subtree(`/lib/modules/${release}`)
  if (flists.besides === undefined) return { tree: folder, facts: { release } }
  const image = (await ctx.tree(flists.besides)).subtree(`/lib/modules/${release}`)
  // Indexes cover both layers, so the flist keeps its own; of the modules only what the image has not.
  const tree = folder.filter(
    ({ path, kind }) => kind !== 'file' || !/\.ko(\.|$)/.test(path) || image.get(path) === undefined,
  )
  return { tree, facts: { release } }
}

/** The project's own firmware where it has some, else that of the packages. */
export const firmwareTree = async (
  ctx: Pick<TapContext, 'project' | 'tree' | 'epoch' | 'explain'>,
  { flists, firmwareFolder = 'firmware', firmwareTag }: RfsOptions,
): Promise<Part> => {
  const facts = { tag: firmwareTag ?? dayOf(ctx.epoch) }
  if ((await ctx.project.glob(`${firmwareFolder}/**`)).length > 0) {
    ctx.explain(`firmware of the project's own folder ${firmwareFolder}/`)
    return { tree: await ctx.project.folder(firmwareFolder), facts }
  }
  const all = await ctx.tree(flists.firmware!)
  const tree = [all.subtree('/lib/firmware'), all.subtree('/usr/lib/firmware')].find(({ count }) => count > 0)
  if (!tree)
    throw new ZosError('RFS_FIRMWARE', 'flists.firmware: the tree has nothing in /lib/firmware', {
      hint: 'name packages that bring firmware: base.tree([…])',
    })
  return { tree, facts }
}

/** YYYYMMDD of a time in seconds since 1970, in UTC: the civil calendar from days, as Hinnant gives it. */
export const dayOf = (epoch: number): string => {
  const days = Math.floor(epoch / 86_400) + 719_468
  const era = Math.floor(days / 146_097)
  const ofEra = days - era * 146_097
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const shifted = Math.floor((5 * ofYear + 2) / 153)
  const day = ofYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const civil = year + era * 400 + (month <= 2 ? 1 : 0)
  return `${String(civil).padStart(4, '0')}${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}`
}
