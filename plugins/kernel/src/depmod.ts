import { type Action, type Blob, FileTree, type TapContext } from '@zos/core'

/** What depmod writes; `modules.weakdep` of kmod 33 and later is left out, since older ones do not know it. */
const indexes = [
  'alias',
  'alias.bin',
  'builtin.alias.bin',
  'builtin.bin',
  'dep',
  'dep.bin',
  'devname',
  'softdep',
  'symbols',
  'symbols.bin',
].map((name) => `modules.${name}`)

export interface DepmodInput {
  readonly release: string
  /** The folder of the modules as a tree of its own. */
  readonly modules: FileTree
  /** The kernel's symbols: without them everything that the kernel image exports would be unknown. */
  readonly systemMap: Blob
}

/** Folder of the modules below the working folder, before and after. */
const depmodFolder = (release: string): string => `root/lib/modules/${release}`

/** Makes the indexes of a set of modules. `-C /dev/null`: the build host's depmod.d is none of ours. */
export const depmodCommand = ({ release, modules, systemMap }: DepmodInput): Omit<Action, 'toolchain'> => ({
  name: `depmod ${release}`,
  command: ['depmod', '-b', 'root', '-C', '/dev/null', '-F', 'System.map', release],
  env: { LC_ALL: 'C' },
  inputs: { [depmodFolder(release)]: modules, 'System.map': systemMap },
  outputs: indexes.map((name) => `${depmodFolder(release)}/${name}`),
})

/** A folder of modules together with what depmod says of it. */
export const withIndexes = async (ctx: TapContext, input: DepmodInput): Promise<FileTree> => {
  const toolchain = await ctx.host({ tools: ['depmod'], packages: ['kmod'] })
  const { tree } = await ctx.run({ ...depmodCommand(input), toolchain })
  const indexes = tree.subtree(`/${depmodFolder(input.release)}`)
  return FileTree.from([...input.modules.records(), ...indexes.records()])
}
