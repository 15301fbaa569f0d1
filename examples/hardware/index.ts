// What a board needs, in one package: kernel options, modules, firmware, a unit, and the file that its boot medium takes.
import { definePlugin } from '@zos/core'
import { kernelConfig, kernelModules } from '@zos/kernel'
import { zinitService } from '@zos/zinit'
import * as v from 'valibot'
import { mediumHead, padding } from './medium.ts'

export interface AcmeBoardOptions {
  /** Path of the board's calibration data, from the project root. */
  readonly nvram: string
}

const nvramPath = '/usr/lib/firmware/acme/nvram.bin'

export const acmeBoard = definePlugin<AcmeBoardOptions>()({
  name: 'acme-board',
  version: '1.0.0',
  code: import.meta.url,
  options: v.strictObject({ nvram: v.string() }),
  apply(hooks, { nvram }) {
    hooks.resolve.tap('board', (plan) => {
      // A kernel that is compiled gets the option; a prebuilt one is checked for it.
      plan.wish(kernelConfig, 'CONFIG_HW_RANDOM_VIRTIO=m')
      plan.wish(kernelModules, { stage1: ['virtio_rng'] })
      plan.wish(zinitService, {
        name: 'acme-board',
        exec: `/bin/busybox sh -c 'echo acme: $(/bin/busybox wc -c <${nvramPath}) bytes >/dev/console'`,
        oneshot: true,
      })
      plan.output({ name: 'acme.img', format: 'acme-medium', options: {}, from: ['vmlinuz.efi'] })
    })

    hooks.assemble.tap('nvram', async (tree, ctx) => tree.delta().file(nvramPath, await ctx.project.bytes(nvram)))

    hooks.pack.for('acme-medium').tap('medium', async (_output, ctx) => {
      const { blob } = await ctx.output('vmlinuz.efi')
      const content = async function* () {
        yield mediumHead(blob)
        yield* ctx.blobs.stream(blob)
        yield padding(blob.size)
      }
      return { blob: await ctx.blobs.put(content()), note: 'for the board’s boot medium' }
    })
  },
})
