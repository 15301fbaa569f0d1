import {
  type Artifact,
  type DeltaBuilder,
  FileTree,
  type Ref,
  type TapContext,
  type TreeView,
  ZosError,
} from '@zos/core'
import { type Closure, moduleClosure } from './closure.js'
import { withIndexes } from './depmod.js'
import { selectFirmware } from './firmware.js'
import { parseFirmwareConf } from './firmware-conf.js'
import { withEssential } from './included.js'
import { type Kernel, loadKernel } from './kernel-artifact.js'
import { buildLists } from './kernel-tree.js'
import { parseModulesConf, stages } from './modules-conf.js'
import type { KernelOptions } from './options.js'
import { kernelFirmware, kernelModules, wantedFrom } from './wishes.js'

/** Where the image lists the modules of a stage: a name a line, for `xargs -r modprobe -a < /etc/zos/modules/stage1`. */
export const stageList = (stage: (typeof stages)[number]): string => `/etc/zos/modules/${stage}`

export type ModuleOptions = Pick<KernelOptions, 'modules' | 'firmware' | 'include'>

/** The modules that the image is to have: the essential ones, those of the list, those of the wishes. */
export const imageClosure = async (
  ctx: TapContext,
  { index }: Kernel,
  { modules, include }: ModuleOptions,
): Promise<Closure> => {
  const listed =
    typeof modules === 'string'
      ? parseModulesConf(await ctx.project.text(modules), modules)
      : wantedFrom(modules, 'kernel({ modules })')
  const wanted = withEssential(include, index.modules, listed, ctx.settled(kernelModules))
  const closure = moduleClosure(index, wanted)
  if (include !== 'full') return closure
  return { ...closure, modules: [...index.modules].sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

/** Puts the modules with indexes of exactly that set, the lists of both stages, and the firmware. */
export const putModules = async (
  tree: TreeView,
  ctx: TapContext,
  component: Ref,
  options: ModuleOptions,
): Promise<DeltaBuilder> => {
  const kernel = await loadKernel(ctx, component)
  const closure = await imageClosure(ctx, kernel, options)
  const delta = tree.delta().tree(await indexedSet(ctx, kernel, closure), `/lib/modules/${kernel.release}`)
  for (const stage of stages)
    delta.file(stageList(stage), closure.stages[stage].names.map((name) => `${name}\n`).join(''))
  const firmware = await chosenFirmware(ctx, options)
  return firmware.count > 0 ? delta.tree(firmware, '/lib/firmware') : delta
}

/** The modules of the image with their indexes as an artifact, for plugins that have to know which these are. */
export const imageModules = async (ctx: TapContext, component: Ref, options: ModuleOptions): Promise<Artifact> => {
  const kernel = await loadKernel(ctx, component)
  const folder = await indexedSet(ctx, kernel, await imageClosure(ctx, kernel, options))
  return { trees: { modules: FileTree.empty.mount(`/lib/modules/${kernel.release}`, folder) } }
}

/** The modules of a closure as a tree of their folder, with the lists of the kernel's build and depmod's indexes. */
const indexedSet = async (
  ctx: TapContext,
  { release, folder, systemMap }: Kernel,
  closure: Closure,
): Promise<FileTree> => {
  const chosen = new Set(closure.modules.map(({ path }) => `/${path}`))
  const modules = folder.filter(({ path }) => chosen.has(path) || buildLists.includes(path))
  return withIndexes(ctx, { release, modules, systemMap })
}

/** The firmware that the list and the wishes name; without a tree of firmware a wish for some is an error. */
const chosenFirmware = async (ctx: TapContext, { firmware }: ModuleOptions): Promise<FileTree> => {
  const wished = ctx.settled(kernelFirmware)
  if (firmware === undefined) {
    const [first] = wished
    if (first === undefined) return FileTree.empty
    throw new ZosError(
      'KERNEL_FIRMWARE_SOURCE',
      `${first.by} wants firmware ${first.pattern}, and there is none to take it from`,
      {
        hint: "name a list and a tree: kernel({ firmware: { list: 'config/firmware.conf', tree: base.tree([…]) } })",
      },
    )
  }
  const listed = parseFirmwareConf(await ctx.project.text(firmware.list), firmware.list)
  const packages = await ctx.tree(firmware.tree)
  return selectFirmware([...listed, ...wished], packages.subtree('/lib/firmware'))
}
