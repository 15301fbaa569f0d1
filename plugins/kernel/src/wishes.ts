import { type Wish, type WishToken, wishToken, ZosError } from '@zos/core'
import { type FirmwarePattern, firmwarePattern } from './firmware-conf.js'
import { type ConfigWish, parseConfigWish, type WishedConfig } from './kernel-config.js'
import { moduleNameOrThrow, type Stage, stages, type WantedModule, type WantedModules } from './modules-conf.js'

/** Modules by the stage that loads them: stage 1 before anything else, stage 2 after the network is up. */
export type ModuleLists = Readonly<Partial<Record<Stage, readonly string[]>>>

/** A symbol that the kernel's config must have: `plan.wish(kernelConfig, 'CONFIG_ACME_NIC=m')`. A prebuilt kernel is checked. */
export const kernelConfig: WishToken<ConfigWish, readonly WishedConfig[]> = wishToken('kernel/config')

/** Modules for the image, with what they depend on: `plan.wish(kernelModules, { stage1: ['acme_nic'] })`. */
export const kernelModules: WishToken<ModuleLists, WantedModules> = wishToken('kernel/modules')

/** Firmware for the image, as a line of `firmware.conf`: `plan.wish(kernelFirmware, 'acme/*.bin')`. */
export const kernelFirmware: WishToken<string, readonly FirmwarePattern[]> = wishToken('kernel/firmware')

/** Wishes for the config, each symbol checked for wishers that contradict each other; `=y` and `=m` do not. */
export const settleConfig = (wishes: readonly Wish<string>[]): readonly WishedConfig[] => {
  const first = new Map<string, { value: string; by: string }>()
  return wishes.map(({ value: wish, by }) => {
    const { symbol, value } = parseConfigWish({ wish, by })
    const other = first.get(symbol) ?? { value, by }
    first.set(symbol, other)
    if (other.value !== value && !(isOn(other.value) && isOn(value))) {
      throw new ZosError(
        'KERNEL_CONFIG_CONTRADICTION',
        `${other.by} wants ${symbol}=${other.value}, ${by} wants ${symbol}=${value}`,
        { hint: 'one of the two plugins has to be left out or told otherwise' },
      )
    }
    return { wish, by }
  })
}

const isOn = (value: string): boolean => value === 'y' || value === 'm'

/** Wishes for modules, by stage, in the order of the wishes. */
export const settleModules = (wishes: readonly Wish<ModuleLists>[]): WantedModules => {
  const all = wishes.map(({ value, by }) => wantedFrom(value, by))
  return { stage1: all.flatMap(({ stage1 }) => stage1), stage2: all.flatMap(({ stage2 }) => stage2) }
}

/** Lists of names as wants of `by`; a name that no module can have is an error. */
export const wantedFrom = (lists: ModuleLists, by: string): WantedModules => {
  const [stage1, stage2] = stages.map((stage): WantedModule[] =>
    (lists[stage] ?? []).map((name) => ({ name: moduleNameOrThrow(name, by), by })),
  )
  return { stage1: stage1!, stage2: stage2! }
}

export const settleFirmware = (wishes: readonly Wish<string>[]): readonly FirmwarePattern[] =>
  wishes.map(({ value, by }) => firmwarePattern(value, by))
