// What the image gets: the flists, what the mounts are told, scripts and units.
import type { DeltaBuilder, Finding, Plan, Ref, TapContext, TreeView } from '@zos/core'
import { kernelConfig, kernelModules } from '@zos/kernel'
import { zinitService } from '@zos/zinit'
import type { RfsOptions } from './options.js'
import { flistSlot } from './pack-tree.js'
import {
  coldplugScript,
  coldplugScriptPath,
  confPath,
  flistFolder,
  mountConf,
  mountScript,
  mountScriptPath,
} from './scripts.js'

export type FlistName = 'modules' | 'firmware'

export const flistNames = ({ flists }: RfsOptions): FlistName[] =>
  (['modules', 'firmware'] as const).filter((name) => flists[name] !== undefined)

const defaults = { program: '/usr/bin/rfs', limit: 60, after: ['network', 'stage2-modules'] } as const

/**
 * Asks zinit for the units and the kernel for what the mounts need. Firmware comes first: drivers ask for it once. What
 * follows has to wait for the end of a mount, which only `requires` does; so a unit ends well even where its mount fails.
 */
export const wishForMounts = (plan: Plan, options: RfsOptions): void => {
  const { mount = 'overlay', limit = defaults.limit, after = defaults.after } = options
  if (mount === 'none') return
  plan.wish(kernelConfig, 'CONFIG_FUSE_FS=m')
  if (mount === 'overlay') plan.wish(kernelConfig, 'CONFIG_OVERLAY_FS=m')
  plan.wish(kernelModules, { stage1: mount === 'overlay' ? ['fuse', 'overlay'] : ['fuse'] })
  const names = flistNames(options)
  for (const name of names)
    plan.wish(zinitService, {
      name: `rfs-${name}`,
      exec: `/bin/sh -c '/bin/sh ${mountScriptPath} ${name} || true'`,
      oneshot: true,
      requires: ['coldplug', ...(name === 'modules' && names.includes('firmware') ? ['rfs-firmware'] : [])],
      wants: [...after],
      startTimeoutMs: 1000 * (2 * limit + 60),
    })
  plan.wish(zinitService, {
    name: 'coldplug',
    exec: `/bin/sh ${coldplugScriptPath}`,
    oneshot: true,
    wants: ['stage1-modules', 'udevd', 'depmod'],
  })
  plan.wish(zinitService, {
    name: 'udev-rfs',
    exec: `/bin/sh ${coldplugScriptPath}`,
    oneshot: true,
    requires: names.map((name) => `rfs-${name}`),
  })
}

/** Path of a flist in the image; `release` is the kernel's. */
const imagePath = (name: FlistName, release: string): string =>
  name === 'modules' ? `${flistFolder}/modules-${release}.fl` : `${flistFolder}/firmware-latest.fl`

/** The flists carry keys that may read the store: only root may look at them. */
export const putMounts = async (
  tree: TreeView,
  ctx: TapContext,
  options: RfsOptions,
  refOf: (name: FlistName) => Ref,
): Promise<DeltaBuilder> => {
  const { program = defaults.program, mount = 'overlay', limit = defaults.limit } = options
  const delta = tree.delta()
  if (mount === 'none') return delta
  for (const name of flistNames(options)) {
    const flist = refOf(name)
    const { facts } = await ctx.artifact(flist)
    const path = imagePath(name, String(facts?.release ?? ''))
    delta.file(path, await ctx.fileOf({ ...flist, slot: flistSlot }), { mode: 0o600 })
  }
  return delta
    .file(confPath, mountConf({ program, mount, limit }))
    .file(mountScriptPath, mountScript, { mode: 0o755 })
    .file(coldplugScriptPath, coldplugScript, { mode: 0o755 })
}

/** What the rfs program starts by name, under which names the image may have it, and the packages that bring it. */
const helpers = [
  {
    code: 'RFS_NO_FUSERMOUNT',
    names: ['fusermount', 'fusermount3'],
    use: 'mounts through',
    hint: 'add the package fuse3',
  },
  {
    code: 'RFS_NO_MOUNTPOINT',
    names: ['mountpoint'],
    use: 'looks at its target with',
    hint: 'add the package util-linux (Alpine: busybox)',
  },
] as const

/** The program that mounts, and those that it starts itself, have to be in the image. */
export const mountFindings = (tree: TreeView, options: RfsOptions): Finding[] => {
  const { program = defaults.program, mount = 'overlay' } = options
  if (mount === 'none') return []
  if (tree.resolve(program) === undefined)
    return [
      {
        level: 'error',
        code: 'RFS_NO_PROGRAM',
        subject: program,
        message: 'is missing: no flist could be mounted',
        hint: "add the rfs program, name another with rfs({ program }), or rfs({ mount: 'none' })",
      },
    ]
  const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
  const has = (name: string): boolean => folders.some((folder) => tree.resolve(`${folder}/${name}`) !== undefined)
  return helpers
    .filter(({ names }) => !names.some(has))
    .map(({ code, names: [name], use, hint }) => ({
      level: 'warning',
      code,
      subject: program,
      message: `the rfs program ${use} ${name}, which the image has not`,
      hint,
    }))
}
