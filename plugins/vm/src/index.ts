import { definePlugin } from '@zos/core'
import * as v from 'valibot'

/** Nothing to set: the machine is described on the command line of `zos run`. */
export type VmOptions = Record<never, never>

/** Adds `zos run`, which boots the last build in QEMU. The image is the same with and without it. */
export const vm = definePlugin<VmOptions>()({
  name: 'vm',
  version: '0.1.0',
  code: import.meta.url,
  options: v.strictObject({}),
  needs: [
    { tool: 'qemu-system-x86_64', install: 'apt-get install qemu-system-x86', optional: true },
    { tool: 'qemu-img', install: 'apt-get install qemu-utils', optional: true },
  ],
  apply() {},
})
