import { type Wish, type WishToken, wishToken } from '@zos/core'
import { type WorldEntry, worldEntry } from './world.js'

/** Packages for the image: `plan.wish(alpinePackages, ['btrfs-progs'])`; as in `alpine({ packages })`. */
export const alpinePackages: WishToken<readonly string[], readonly WorldEntry[]> = wishToken('alpine/packages')

/** Every wished package with who wishes it; what cannot be together is found out when they are resolved. */
export const settlePackages = (wishes: readonly Wish<readonly string[]>[]): readonly WorldEntry[] =>
  wishes.flatMap(({ value, by }) => value.map((text) => worldEntry(text, by)))
