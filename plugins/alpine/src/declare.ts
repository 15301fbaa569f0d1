import type { Plan } from '@zos/core'
import { apkSource, sourceName } from './apk-source.js'
import type { ComponentOptions } from './build.js'
import { firmwarePackages, firmwareTree } from './firmware.js'
import { dependencyText } from './format/dependency.js'
import type { AlpineOptions } from './options.js'
import {
  type AlpinePin,
  type AlpineRequest,
  alpineRequest,
  answerRequest,
  type PackagePin,
  trustedKeys,
} from './pin.js'
import { alpineMirror, parseRepositories, repositoryLine } from './repository/repositories.js'
import { alpinePackages } from './wishes.js'
import { mergeWorld, parsePackagesList, type WorldEntry, worldEntry } from './world.js'

/** Packages of the option: named there, or in a list. */
const ownWorld = async ({ packages }: AlpineOptions, plan: Plan, id: string): Promise<WorldEntry[]> =>
  typeof packages === 'string'
    ? parsePackagesList(await plan.project.text(packages), packages)
    : packages.map((text) => worldEntry(text, `${id}({ packages })`))

/** Declares the lock entry of all packages and, from its answer, their sources and the components made of them. */
export const declarePackages = async (plan: Plan, options: AlpineOptions, id: string): Promise<void> => {
  const own = await ownWorld(options, plan, id)
  const arch = options.arch ?? plan.arch
  const trees: Record<string, readonly string[]> = {}
  for (const { component, params } of plan.requested())
    if (component === firmwareTree)
      trees[firmwareTree] =
        options.firmware === undefined
          ? ['linux-firmware']
          : firmwarePackages(await plan.project.text(options.firmware), options.firmware)
    else if (Array.isArray(params)) trees[component] = params as readonly string[]
  const keys = [...(await trustedKeys(options, arch, plan))]
  let world: readonly WorldEntry[] = own

  plan.pin<AlpineRequest, AlpinePin>({
    name: 'packages',
    request: (settled) => {
      world = options.image === false ? own : [...own, ...settled(alpinePackages)]
      return alpineRequest(options, arch, world, trees)
    },
    answer: (request, ctx, previous) => answerRequest(request, world, options, ctx, previous),
    // biome-ignore lint/suspicious/noThenProperty: the core's name for it; an entry is never awaited
    then: (pin, pinned) => {
      const declared = new Set<string>()
      const component = (name: string, kind: ComponentOptions['kind'], pins: readonly PackagePin[]): void => {
        const packages = pins.map((one) => ({
          name: one.name,
          source: sourceName(one),
          control: one.control,
          ...(one.tag !== undefined && { tag: one.tag }),
        }))
        for (const one of pins) {
          const source = sourceName(one)
          if (!declared.has(source)) pinned.source(source, apkSource(one, options, id))
          declared.add(source)
        }
        const componentOptions: ComponentOptions = {
          kind,
          packages,
          ...(kind === 'root' && {
            ...(options.image === false && { isToolchain: true as const }),
            config: {
              arch,
              world: mergeWorld(world).map(({ dependency }) => dependencyText(dependency)),
              repositories: parseRepositories(options.branch, options.repositories).map((one) =>
                repositoryLine(one, firstOf(options.mirrors)),
              ),
              keys: Object.fromEntries(keys),
            },
          }),
        }
        pinned.component({
          name,
          kind: 'alpine',
          options: componentOptions,
          sources: packages.map(({ source }) => source),
        })
      }
      component('root', 'root', pin.root)
      for (const [tree, pins] of Object.entries(pin.trees)) component(tree, 'tree', pins)
    },
  })
}

/** What the image's own apk is told; a mirror of the environment is this machine's alone. */
const firstOf = (mirrors: AlpineOptions['mirrors']): string =>
  (typeof mirrors === 'string' ? mirrors : (mirrors?.[0] ?? alpineMirror)).replace(/\/+$/, '')
