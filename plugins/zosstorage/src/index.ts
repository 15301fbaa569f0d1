import { definePlugin, type Finding } from '@zos/core'
import { kernelModules } from '@zos/kernel'
import { zinitService } from '@zos/zinit'
import { type ZosstorageOptions, zosstorageOptions } from './options.js'

export type { DevicePath, DevicesOptions, Size, ZosstorageOptions } from './options.js'

/** Drivers by topology: `auto` may come to need bcachefs, which not every kernel has. */
const driversOf = ({ topology = 'auto' }: ZosstorageOptions): readonly string[] =>
  topology === 'ssd_hdd_bcachefs' || topology === 'bcachefs_2copy' ? ['bcachefs'] : ['btrfs']

/** Provisions the disks of a node on its first boot: the configuration, the unit, and what the program needs. */
export const zosstorage = definePlugin<ZosstorageOptions>()({
  name: 'zosstorage',
  version: '0.1.0',
  code: import.meta.url,
  options: zosstorageOptions,
  apply(hooks, options) {
    hooks.resolve.tap('unit', (plan) => {
      plan.wish(zinitService, {
        name: 'zosstorage',
        // What it says has to be seen where nobody can log in yet.
        exec: "/bin/sh -c 'exec /usr/bin/zosstorage --log-to-file 2>/dev/console'",
        oneshot: true,
        // Until all drivers are loaded, disks may be missing that belong to the topology; that of the file system comes beside.
        requires: ['stage1-modules', 'zosstorage-driver'],
        wants: ['udev-trigger'],
      })
      // To load a driver takes longer than all else before the first write, so it is begun beside the first stage. Where it
      // is not there yet, the program loads it.
      plan.wish(zinitService, {
        name: 'zosstorage-driver',
        exec: `/bin/sh -c '/sbin/modprobe -qa ${driversOf(options).join(' ')} || true'`,
        oneshot: true,
      })
      plan.wish(kernelModules, { stage2: driversOf(options) })
    })
    hooks.assemble.tap('config', async (tree) => (await import('./image-file.js')).putConfig(tree, options))
    hooks.check.tap('programs', async (tree, ctx): Promise<readonly Finding[]> => {
      const { programFindings, programPath } = await import('./image-file.js')
      const path = await programPath(ctx, options)
      if (path === '/usr/bin/zosstorage') return programFindings(tree, options)
      const message = `the program is at ${path}, the unit calls /usr/bin/zosstorage`
      const hint = 'leave install out of its component'
      return [{ level: 'error', code: 'ZOSSTORAGE_PROGRAM', subject: path, message, hint }]
    })
  },
})
