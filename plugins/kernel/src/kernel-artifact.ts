import { type Blob, type FileTree, type Ref, ref, type TapContext } from '@zos/core'
import { type KernelConfig, parseKernelConfig } from './kernel-config.js'
import type { ModuleIndex } from './module-index.js'

/** Name of the plugin's main component, and the slots of its artifact. */
export const componentName = 'linux'
/** Name of the component that is made only where another plugin asks for it. */
export const imageModulesName = 'image-modules'

/** Name of the plugin's own source, where the kernel is compiled from one. */
export const sourceName = 'linux'

/** References to a kernel plugin's artifact, by the plugin's id. */
export const kernelRefs = (id: string) => ({
  /** The kernel image, a file. */
  image: ref(id, componentName, 'image'),
  /** All modules of the kernel below `/lib/modules/RELEASE` with their indexes, a tree. */
  modules: ref(id, componentName, 'modules'),
  /** The modules that the image has itself, with indexes of exactly these: a tree as `modules`. */
  imageModules: ref(id, imageModulesName, 'modules'),
  /**
   * Everything that the kernel gave: files `image`, `config`, `system-map`, `index`; tree `modules`; facts `release`,
   * `version`. One that was compiled here also has the files `objects`, what a relink reads (tar), and `headers`, what
   * modules are compiled with (tar.zst).
   */
  kernel: ref(id, componentName),
})

/** The kernel as the plugin's own taps use it. */
export interface Kernel {
  readonly release: string
  readonly index: ModuleIndex
  readonly config: KernelConfig
  readonly systemMap: Blob
  /** All modules with indexes, rooted at `/lib/modules/RELEASE`. */
  readonly folder: FileTree
}

/** Reads back what the build tap gave. */
export const loadKernel = async (ctx: TapContext, kernel: Ref): Promise<Kernel> => {
  const { trees, files, facts } = await ctx.artifact(kernel)
  const release = String(facts?.release)
  const text = async (blob: Blob): Promise<string> => new TextDecoder().decode(await ctx.blobs.read(blob))
  return {
    release,
    index: JSON.parse(await text(files!.index!)) as ModuleIndex,
    config: parseKernelConfig(await text(files!.config!), `config-${release}`),
    systemMap: files!['system-map']!,
    folder: trees!.modules!.subtree(`/lib/modules/${release}`),
  }
}
