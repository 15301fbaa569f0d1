import type { FileTree, Finding } from '@zos/core'
import type { Closure } from './closure.js'
import { missingFirmware } from './firmware.js'
import type { Kernel } from './kernel-artifact.js'
import { lackingForEfi } from './kernel-config.js'
import { stages } from './modules-conf.js'
import type { ModulesDep } from './modules-dep.js'

/** The part of the finished tree that concerns the kernel. */
export interface FinishedModules {
  /** `/lib/modules/RELEASE` as a tree of its own. */
  readonly folder: FileTree
  /** What its `modules.dep` says; `undefined` where it is missing. */
  readonly dep: ModulesDep | undefined
}

/** Every module to be loaded is in the finished tree, is indexed, and so is all it needs. */
export const moduleFindings = ({ folder, dep }: FinishedModules, closure: Closure, release: string): Finding[] => {
  const where = `/lib/modules/${release}`
  const problem = (subject: string, message: string): Finding => ({
    level: 'error',
    code: 'KERNEL_MODULE_ABSENT',
    subject,
    message,
    hint: 'a plugin after the kernel plugin took it away or replaced it',
  })
  if (dep === undefined || folder.get('/modules.dep.bin') === undefined) {
    return [problem(where, 'has no modules.dep, or no modules.dep.bin: modprobe would find nothing')]
  }
  const paths = new Map(closure.modules.map(({ name, path }) => [name, path]))
  const has = (path: string): boolean => folder.get(`/${path}`)?.kind === 'file'
  return stages.flatMap((stage) =>
    closure.stages[stage].order.flatMap((name) => {
      const path = paths.get(name)!
      const needed = dep.get(path)
      if (!has(path)) return [problem(`${where}/${path}`, `is missing; ${stage} loads ${name}`)]
      if (needed === undefined) return [problem(`${where}/${path}`, `is not in modules.dep; ${stage} loads ${name}`)]
      return needed
        .filter((dependency) => !has(dependency))
        .map((dependency) => problem(`${where}/${dependency}`, `is missing; ${name} (${stage}) needs it`))
    }),
  )
}

/** Names of firmware that the image's drivers may ask for and will not find; one warning for all. */
export const firmwareFindings = (firmware: FileTree, closure: Closure, { index }: Kernel): Finding[] => {
  const builtin = index.builtin.filter(({ name }) => closure.builtin.includes(name))
  const missing = missingFirmware([...closure.modules, ...builtin], firmware)
  if (missing.length === 0) return []
  return [
    {
      level: 'warning',
      code: 'KERNEL_FIRMWARE_LEFT_OUT',
      subject: '/lib/firmware',
      message: `drivers of the image name ${missing.length} files that it does not have:\n${missing
        .map(({ name, drivers }) => `${name} (${drivers.join(', ')})`)
        .join('\n')}`,
      hint: 'harmless for hardware that the machine does not have; else add the lines to firmware.conf',
    },
  ]
}

/** The kernel must start from EFI firmware when it is to be `vmlinuz.efi`, or in it. */
export const embedFindings = ({ config, release }: Kernel, embed: 'uki' | 'builtin' | 'none'): Finding[] =>
  embed === 'none'
    ? []
    : lackingForEfi(config).map((symbol) => ({
        level: 'error',
        code: 'KERNEL_CONFIG_LACKS',
        subject: `config-${release}`,
        message: `has no ${symbol}=y: firmware cannot start the kernel`,
        hint: "take a kernel with EFI, or kernel({ embed: 'none' })",
      }))

/** The kernel looks in `/lib/firmware` only: `/usr/lib/firmware` has to be the same folder. */
export const firmwarePlaceFindings = (lib: string | undefined, usrLib: string | undefined): Finding[] =>
  usrLib === undefined || lib === usrLib
    ? []
    : [
        {
          level: 'error',
          code: 'KERNEL_FIRMWARE_PLACE',
          subject: usrLib,
          message: 'is a folder of its own; the kernel looks in /lib/firmware only',
          hint: 'make one a link to the other',
        },
      ]
