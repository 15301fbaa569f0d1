import { type DeltaBuilder, type Finding, type TapContext, type TreeView, ZosError } from '@zos/core'
import type { ZosstorageOptions } from './options.js'

/** Where the program looks for its configuration. */
export const configPath = '/etc/zosstorage/config.yaml'

/** Options as the program's own configuration. */
export const configOf = ({ program: _, ...options }: ZosstorageOptions) => ({ version: 1, ...options })

/** Puts the configuration into the image. */
export const putConfig = async (tree: TreeView, options: ZosstorageOptions): Promise<DeltaBuilder> => {
  const { stringify } = await import('yaml')
  return tree.delta().file(configPath, stringify(configOf(options), { lineWidth: 0 }))
}

/** Programs that a topology needs, with what brings them. */
const programsOf = (topology: NonNullable<ZosstorageOptions['topology']>): Readonly<Record<string, string>> => ({
  'mkfs.vfat': 'dosfstools',
  ...(topology === 'ssd_hdd_bcachefs' || topology === 'bcachefs_2copy'
    ? { bcachefs: 'bcachefs-tools' }
    : { 'mkfs.btrfs': 'btrfs-progs' }),
})

const searchPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

const isProgram = (tree: TreeView, path: string): boolean => {
  const real = tree.resolve(path)
  const entry = real === undefined ? undefined : tree.get(real)
  return entry?.kind === 'file' && (entry.mode & 0o111) !== 0
}

/** What the program would miss on the machine, said when the image is built. */
export const programFindings = (tree: TreeView, { topology = 'auto' }: ZosstorageOptions): Finding[] =>
  Object.entries(programsOf(topology)).flatMap(([program, from]) =>
    searchPath.some((folder) => isProgram(tree, `${folder}/${program}`))
      ? []
      : [
          {
            level: 'error',
            code: 'ZOSSTORAGE_PROGRAM',
            subject: program,
            message: `${program}, which zosstorage calls for the topology ${topology}, is not in the image`,
            hint: `add the package ${from} to the image`,
          } as const,
        ],
  )

/** Where the program's component puts it. */
export const programPath = async (ctx: TapContext, { program }: ZosstorageOptions): Promise<string> => {
  const { facts } = await ctx.artifact(program)
  const programs = (facts?.programs ?? {}) as Readonly<Record<string, string>>
  const path = programs.zosstorage ?? Object.values(programs)[0]
  if (path !== undefined) return path
  throw new ZosError('ZOSSTORAGE_PROGRAM', `the component ${program.component} has no program`, {
    hint: "zosstorage({ program }) names the component of the crate: tools.component('zosstorage')",
  })
}
