import type { Plan } from '@zos/core'
import type { ComponentOptions } from './build.js'
import { debSource, sourceName } from './deb-source.js'
import type { DebianOptions } from './options.js'
import { answerRequest, type DebianPin, type DebianRequest, debianRequest, type PackagePins } from './pin.js'
import { type PackageRequest, parseRequest } from './resolve/request.js'
import { debianPackages } from './wishes.js'

/** Declares the lock entry of all packages and, from its answer, their sources and the components made of them. */
export const declarePackages = (plan: Plan, options: DebianOptions, id: string): void => {
  const own = options.packages.map((text) => parseRequest(text, `${id}({ packages })`))
  const trees: Record<string, readonly string[]> = {}
  for (const { component, params } of plan.requested())
    if (Array.isArray(params)) trees[component] = params as readonly string[]
  let requests: readonly PackageRequest[] = own

  plan.pin<DebianRequest, DebianPin>({
    name: 'packages',
    request: (settled) => {
      requests = options.image === false ? own : [...own, ...settled(debianPackages)]
      return debianRequest(options, options.arch ?? plan.arch, requests, trees)
    },
    answer: (request, ctx, previous) => answerRequest(request, requests, options, ctx, previous),
    // biome-ignore lint/suspicious/noThenProperty: the core's name for it; an entry is never awaited
    then: (pin, pinned) => {
      const declared = new Set<string>()
      const component = (name: string, kind: ComponentOptions['kind'], pins: PackagePins): void => {
        const packages: Record<string, string> = {}
        for (const [packageName, one] of Object.entries(pins)) {
          const source = sourceName(packageName, one)
          packages[packageName] = source
          if (!declared.has(source)) pinned.source(source, debSource(packageName, one, options, id))
          declared.add(source)
        }
        const { suite: release, documentation = false } = options
        const componentOptions: ComponentOptions = {
          ...{ kind, documentation, release, packages },
          ...(options.image === false && kind === 'root' && { isToolchain: true as const }),
        }
        pinned.component({ name, kind: 'debian', options: componentOptions, sources: Object.values(packages) })
      }
      component('root', 'root', pin.root)
      for (const [tree, pins] of Object.entries(pin.trees)) component(tree, 'tree', pins)
    },
  })
}
