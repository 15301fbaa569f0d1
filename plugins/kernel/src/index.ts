import { definePlugin, isRef } from '@zos/core'
import { zinitService } from '@zos/zinit'
import { imageClosure, imageModules, putModules } from './image-modules.js'
import { componentName, imageModulesName, kernelRefs, loadKernel, sourceName } from './kernel-artifact.js'
import type { KernelOrgSource } from './kernel-source.js'
import { embedFindings, firmwareFindings, firmwarePlaceFindings, moduleFindings } from './module-findings.js'
import { moduleUnits } from './module-units.js'
import { parseModulesDep } from './modules-dep.js'
import { isCompiled, type KernelOptions, kernelOptions } from './options.js'
import { kernelConfig, kernelFirmware, kernelModules, settleConfig, settleFirmware, settleModules } from './wishes.js'

export type { ConfigWish } from './kernel-config.js'
export { type KernelOrgOptions, type KernelOrgSource, kernelOrg } from './kernel-source.js'
export type {
  BuiltinOptions,
  ConfigOptions,
  FirmwareOptions,
  KernelOptions,
  PlainOptions,
  UkiOptions,
} from './options.js'
export { kernelConfig, kernelFirmware, kernelModules, type ModuleLists } from './wishes.js'

/** A kernel with its modules and firmware, and `vmlinuz.efi`. */
export const kernel = definePlugin<KernelOptions>()({
  name: 'kernel',
  version: '0.1.0',
  code: import.meta.url,
  options: kernelOptions,
  env: { INCLUDE_MODULES: 'include' },
  needs: [{ tool: 'depmod', install: 'apt-get install kmod', sandboxed: true }],
  refs: kernelRefs,
  apply(hooks, options, { id }) {
    const component = kernelRefs(id).kernel

    hooks.resolve.tap('kernel', (plan) => {
      plan.own(kernelConfig, settleConfig)
      plan.own(kernelModules, settleModules)
      plan.own(kernelFirmware, settleFirmware)
      if (isRef(options.source)) {
        plan.component({ name: componentName, kind: 'kernel', options: {}, needs: [options.source] })
      } else {
        // Its build asks git for nothing: one commit of a million is enough.
        const { source } = options
        plan.source(sourceName, source.kind === 'git' ? { ...source, history: false } : source)
        plan.component({ name: componentName, kind: 'kernel', options: {}, sources: [sourceName] })
      }
      if (plan.requested().some(({ component: asked }) => asked === imageModulesName))
        plan.component({ name: imageModulesName, kind: 'kernel-image-modules', options: {}, needs: [component] })
      plan.output({ name: 'vmlinuz', format: 'kernel', options: {}, needs: [component] })
      if (options.units) for (const unit of moduleUnits) plan.wish(zinitService, unit)
      if (options.embed === 'none') return
      const named = options.nameAfter === undefined ? [] : [options.nameAfter]
      const from = ['initramfs']
      if (options.embed === 'uki') {
        const { cmdline, stub } = options
        const needs = [component, stub, ...named]
        plan.output({ name: 'vmlinuz.efi', format: 'uki', options: { cmdline }, from, needs })
      } else {
        plan.output({ name: 'vmlinuz.efi', format: 'builtin', options: {}, from, needs: [component, ...named] })
      }
      if (options.diskSize !== undefined)
        plan.output({ name: 'disk.img', format: 'disk', options: { size: options.diskSize }, from: ['vmlinuz.efi'] })
    })

    hooks.pin.for('kernel-org').tap('kernel-org', async (source, ctx) => {
      const { pinKernelOrg } = await import('./kernel-org.js')
      return pinKernelOrg(source as KernelOrgSource, ctx)
    })
    hooks.fetch.for('kernel-org').tap('kernel-org', async (source, ctx) => {
      const { fetchKernelOrg } = await import('./kernel-org.js')
      return fetchKernelOrg(source, ctx)
    })

    hooks.build.for('kernel').tap(isCompiled(options) ? 'compiled' : 'prebuilt', async (_, ctx) => {
      if (!isCompiled(options)) return (await import('./build-prebuilt.js')).buildPrebuilt(ctx, options.source)
      const { buildCompiled } = await import('./build-compiled.js')
      return buildCompiled(ctx, options)
    })

    hooks.build.for('kernel-image-modules').tap('image-modules', (_, ctx) => imageModules(ctx, component, options))

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
    if (options.embed === 'builtin') {
      hooks.pack.for('builtin').tap('builtin', async (output, ctx) => {
        const { packBuiltin } = await import('./pack-builtin.js')
        return packBuiltin(output, ctx, component, options)
      })
    }
    if (options.embed !== 'none' && options.diskSize !== undefined) {
      hooks.pack.for('disk').tap('disk', async (output, ctx) => (await import('./pack-disk.js')).packDisk(output, ctx))
    }
  },
})
