import { ZosError } from '@zos/core'
import { type Modinfo, parseBuiltinModinfo } from './modinfo.js'
import { canonicalName, moduleNameOf } from './module-name.js'
import { parseModulesBuiltin } from './modules-builtin.js'
import { parseSoftdeps, type Softdeps } from './softdep.js'

/** What the closure has to know of one module; names are canonical (`_`). */
export interface ModuleFacts extends Softdeps {
  readonly name: string
  /** Below the version's folder: `kernel/fs/btrfs/btrfs.ko.xz`. */
  readonly path: string
  /** Modules that must be loaded before. */
  readonly depends: readonly string[]
  /** Paths below `/lib/firmware` that the driver may ask for. */
  readonly firmware: readonly string[]
  /** Aliases that are plain names (`crypto-sha256`), canonical; patterns for devices stay in `modules.alias`. */
  readonly aliases: readonly string[]
}

/** All modules of one kernel, sorted by name: plain data, made once a kernel. */
export interface ModuleIndex {
  readonly version: string
  readonly modules: readonly ModuleFacts[]
  /** What could be a module and is part of the kernel image, sorted by name. */
  readonly builtin: readonly DriverFacts[]
}

export type DriverFacts = Pick<ModuleFacts, 'name' | 'firmware'>

export interface ModuleIndexInput {
  readonly version: string
  /** `.modinfo` of every module, by path below the version's folder. */
  readonly modinfo: ReadonlyMap<string, Modinfo>
  /** Text of `modules.builtin`. */
  readonly builtin: string
  /** Content of `modules.builtin.modinfo`; kernels before 5.2 have none. */
  readonly builtinModinfo?: Uint8Array
}

const moduleLimit = 50_000

/** Makes the index. Two files with one module name, or a module built for another version, are errors. */
export const moduleIndex = ({ version, modinfo, builtin, builtinModinfo }: ModuleIndexInput): ModuleIndex => {
  if (modinfo.size > moduleLimit) {
    throw new ZosError('KERNEL_MODULE_TREE', `${modinfo.size} modules, more than the ${moduleLimit} that are indexed`)
  }
  const modules = new Map<string, ModuleFacts>()
  for (const [path, info] of modinfo) {
    const facts = moduleFacts(path, info)
    const other = modules.get(facts.name)
    if (other) {
      throw new ZosError('KERNEL_MODULE_TREE', `${other.path} and ${path} are both module ${facts.name}`)
    }
    checkVersion(version, path, info)
    modules.set(facts.name, facts)
  }
  const inImage = parseBuiltinModinfo(builtinModinfo ?? new Uint8Array())
  return {
    version,
    modules: [...modules.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    builtin: parseModulesBuiltin(builtin).map((name) => ({ name, firmware: firmwareOf(inImage.get(name)) })),
  }
}

const moduleFacts = (path: string, info: Modinfo): ModuleFacts => ({
  name: moduleNameOf(path),
  path,
  depends: (info.get('depends') ?? [])
    .flatMap((list) => list.split(','))
    .filter((name) => name !== '')
    .map(canonicalName),
  ...parseSoftdeps(info.get('softdep') ?? [], info.get('weakdep') ?? []),
  firmware: firmwareOf(info),
  aliases: [...new Set((info.get('alias') ?? []).filter((alias) => !/[*?[]/.test(alias)).map(canonicalName))].sort(),
})

const firmwareOf = (info: Modinfo | undefined): string[] => [...new Set(info?.get('firmware'))].sort()

const checkVersion = (version: string, path: string, info: Modinfo): void => {
  const built = info.get('vermagic')?.[0]?.split(' ')[0]
  if (built !== undefined && built !== version) {
    throw new ZosError('KERNEL_MODULE_TREE', `${path} was built for kernel ${built}, the tree is of ${version}`)
  }
}
