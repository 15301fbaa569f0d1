import { definePlugin } from '@zos/core'
import { imageClosure, putModules } from './image-modules.js'
import { componentName, kernelRefs, loadKernel } from './kernel-artifact.js'
import { embedFindings, firmwareFindings, firmwarePlaceFindings, moduleFindings } from './module-findings.js'
import { parseModulesDep } from './modules-dep.js'
import { type KernelOptions, kernelOptions } from './options.js'
import { kernelConfig, kernelFirmware, kernelModules, settleConfig, settleFirmware, settleModules } from './wishes.js'

export type { ConfigWish } from './kernel-config.js'
export type { FirmwareOptions, KernelOptions, PlainOptions, UkiOptions } from './options.js'
export { kernelConfig, kernelFirmware, kernelModules, type ModuleLists } from './wishes.js'

/** A kernel with its modules and firmware, and `vmlinuz.efi`. */
export const kernel = definePlugin<KernelOptions>()({
  name: 'kernel',
  version: '0.1.0',
  code: import.meta.url,
  options: kernelOptions,
  needs: [{ tool: 'depmod', install: 'apt-get install kmod' }],
  refs: kernelRefs,
  apply(hooks, options, { id }) {
    const component = kernelRefs(id).kernel

    hooks.resolve.tap('kernel', (plan) => {
      plan.own(kernelConfig, settleConfig)
      plan.own(kernelModules, settleModules)
      plan.own(kernelFirmware, settleFirmware)
      plan.component({ name: componentName, kind: 'kernel', options: {}, needs: [options.source] })
      plan.output({ name: 'vmlinuz', format: 'kernel', options: {}, needs: [component] })
      if (options.embed === 'uki') {
        const { cmdline, stub } = options
        const needs = [component, stub]
        plan.output({ name: 'vmlinuz.efi', format: 'uki', options: { cmdline }, from: ['initramfs'], needs })
      }
    })

    hooks.build.for('kernel').tap('prebuilt', async (_, ctx) => {
      const { buildPrebuilt } = await import('./build-prebuilt.js')
      return buildPrebuilt(ctx, options.source)
    })

    hooks.assemble.tap('modules', (tree, ctx) => putModules(tree, ctx, component, options))

    hooks.check.tap('modules', async (tree, ctx) => {
      const linux = await loadKernel(ctx, component)
      const closure = await imageClosure(ctx, linux, options)
      const path = `/lib/modules/${linux.release}`
      const dep = tree.get(`${path}/modules.dep`) && parseModulesDep(await tree.text(`${path}/modules.dep`))
      return [
        ...moduleFindings({ folder: tree.subtree(path), dep }, closure, linux.release),
        ...embedFindings(linux, options.embed),
        ...firmwarePlaceFindings(tree.resolve('/lib/firmware'), tree.resolve('/usr/lib/firmware')),
        ...firmwareFindings(tree.subtree('/lib/firmware'), closure, linux),
      ]
    })

    hooks.pack.for('kernel').tap('vmlinuz', async (_, ctx) => {
      const { facts } = await ctx.artifact(component)
      const release = String(facts?.release)
      return { blob: await ctx.fileOf({ ...component, slot: 'image' }), note: release, facts: { release } }
    })

    if (options.embed === 'uki') {
      hooks.pack.for('uki').tap('uki', async (output, ctx) => {
        const { packUki } = await import('./pack-uki.js')
        return packUki(output, ctx, component, options)
      })
    }
  },
})
