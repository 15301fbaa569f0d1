// The commands that make a kernel of its sources, as data. Each is an action of its own, so that a change runs only what
// follows from it: sources → config → compile → modules; and link, when the initramfs changes.
import type { Action, Blob, FileTree } from '@zos/core'
import type { ModuleCompression } from './options.js'
import { compileScript, configureScript, kconfigScript, linkScript, modulesScript, sourceScript } from './scripts.js'
import type { KernelTarget } from './target.js'

/** An action without its toolchain. */
export type KernelAction = Omit<Action, 'toolchain'>

/** Where the sources lie while they are worked on: a tar archive, or a tree of files. */
export type KernelSources = { readonly archive: Blob } | { readonly tree: FileTree }

const script = (text: string): Pick<Action, 'command'> => ({ command: ['/bin/sh', '-euc', text] })

/**
 * The same everywhere: whoever builds, wherever, whenever. The time in `uname -v` is that of the sources, which the
 * scripts add. `srctree` is `..`, so that no path of the machine gets into an object.
 */
const environment = ({ arch, prefix }: KernelTarget): Record<string, string> => ({
  ARCH: arch,
  ...(prefix !== '' && { CROSS_COMPILE: prefix }),
  KBUILD_BUILD_HOST: 'zos',
  KBUILD_BUILD_USER: 'zos',
  // Else `.version` counts up with each link.
  KBUILD_BUILD_VERSION: '1',
  KAFLAGS: '-ffile-prefix-map=../=',
  KCFLAGS: '-ffile-prefix-map=../=',
  LC_ALL: 'C',
})

/** Unpacks and patches; gives the sources as an archive that unpacks quickly, and the part of it that Kconfig reads. */
export const sourceAction = (sources: KernelSources, patches: readonly Blob[]): KernelAction => ({
  name: 'sources',
  ...script(sourceScript),
  inputs: {
    ...('archive' in sources ? { 'source.tar': sources.archive } : { tree: sources.tree }),
    ...Object.fromEntries(patches.map((patch, index) => [`patches/${String(index).padStart(4, '0')}.patch`, patch])),
  },
  outputs: ['linux.tar.zst', 'kconfig.tar.zst'],
})

export interface ConfigureInput {
  readonly kconfig: Blob
  /** A whole config, or the name of a target of the kernel's own such as `tinyconfig`. */
  readonly base: Blob | string
  /** Lines that count more than the base, in this order. */
  readonly lines: Blob
}

/** Makes `.config`, and `version`: the sources' version with what files named `localversion*` add. */
export const configureAction = (target: KernelTarget, { kconfig, base, lines }: ConfigureInput): KernelAction => ({
  name: 'config',
  ...script(configureScript(typeof base === 'string' ? base : undefined)),
  env: environment(target),
  inputs: { 'kconfig.tar.zst': kconfig, lines, ...(typeof base !== 'string' && { base }) },
  outputs: ['config', 'version'],
})

/** The Kconfig files of the sources, to look for reasons in. */
export const kconfigAction = (kconfig: Blob): KernelAction => ({
  name: 'kconfig',
  ...script(kconfigScript),
  inputs: { 'kconfig.tar.zst': kconfig },
  outputs: ['kconfig'],
})

export interface CompileInput {
  readonly sources: Blob
  readonly kconfig: Blob
  readonly config: Blob
}

/** Compiles. Left are the image with an empty initramfs, the stripped modules, what a relink reads, and headers. */
export const compileAction = (target: KernelTarget, { sources, kconfig, config }: CompileInput): KernelAction => ({
  name: 'compile',
  ...script(compileScript(target)),
  env: environment(target),
  inputs: { 'linux.tar.zst': sources, 'kconfig.tar.zst': kconfig, config },
  outputs: ['image', 'System.map', 'release', 'modules', 'objects.tar', 'headers.tar.zst'],
  unit: '^ +(?:CC|AS|LD|AR)\\b',
})

/** Compresses module files; the kernel's own decompressor of xz knows no check but CRC32. */
export const compressAction = (modules: FileTree, compression: Exclude<ModuleCompression, 'none'>): KernelAction => ({
  name: `modules ${compression}`,
  ...script(modulesScript(compression)),
  inputs: { modules },
  outputs: ['modules'],
})

export interface LinkInput {
  readonly objects: Blob
  /** File name with `.cpio.` once: the kernel's build would pack it again under any other. */
  readonly archiveName: string
  readonly archive: Blob
}

/** Links the kernel once more, with an archive in it; nothing is compiled but the few files that know addresses. */
export const linkAction = (target: KernelTarget, { objects, archiveName, archive }: LinkInput): KernelAction => ({
  name: 'link',
  ...script(linkScript(target, archiveName)),
  env: environment(target),
  inputs: { 'objects.tar': objects, [archiveName]: archive },
  outputs: ['image'],
})
