import type { ModuleFacts } from './module-index.js'
import type { WantedModule, WantedModules } from './modules-conf.js'

/** How many modules the initramfs has: `minimal`, `standard` (those of modules.conf too), `full` (all of the kernel's). */
export const includes = ['minimal', 'standard', 'full'] as const
export type Include = (typeof includes)[number]

/** What every machine needs before modules can be reached from elsewhere; virtio_pci carries the virtio devices. */
export const essential: readonly string[] = [
  ...['virtio_pci', 'virtio_blk', 'virtio_net', 'ahci', 'nvme', 'e1000e', 'r8169'],
  ...['btrfs', 'ext4', 'tmpfs', 'overlay', 'fuse'],
]

/**
 * What is wanted with the essential drivers in front: a kernel has them built in, or they are loaded in stage 1.
 * `minimal` leaves the list away, wishes of plugins stay.
 */
export const withEssential = (
  include: Include | undefined,
  modules: readonly ModuleFacts[],
  listed: WantedModules,
  wished: WantedModules,
): WantedModules => {
  const has = new Set(modules.map(({ name }) => name))
  const by = 'kernel({ include })'
  const first: WantedModule[] = include ? essential.filter((name) => has.has(name)).map((name) => ({ name, by })) : []
  const { stage1, stage2 } = include === 'minimal' ? { stage1: [], stage2: [] } : listed
  return { stage1: [...first, ...stage1, ...wished.stage1], stage2: [...stage2, ...wished.stage2] }
}
