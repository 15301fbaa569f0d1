import { definePlugin } from '@zos/core'
import * as v from 'valibot'
import { installCommand, type Tool } from './tools.js'

const need = (tool: Tool) => ({ tool, install: installCommand(tool), optional: true })

/** Nothing to set: the machine is described on the command line of `zos run`. */
export type VmOptions = Record<never, never>

/** Adds `zos run`, which boots the last build in QEMU or cloud-hypervisor. The image is the same with and without it. */
export const vm = definePlugin<VmOptions>()({
  name: 'vm',
  version: '0.1.0',
  code: import.meta.url,
  options: v.strictObject({}),
  needs: [need('qemu-system-x86_64'), need('qemu-img'), need('ssh-keygen'), need('ip'), need('cloud-hypervisor')],
  apply() {},
})
