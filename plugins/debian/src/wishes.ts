import { type Wish, type WishToken, wishToken } from '@zos/core'
import type { PackageRequest } from './resolve/request.js'
import { parseRequest } from './resolve/request.js'

/** Packages for the image: `plan.wish(debianPackages, ['btrfs-progs'])`; as in `debian({ packages })`. */
export const debianPackages: WishToken<readonly string[], readonly PackageRequest[]> = wishToken('debian/packages')

/** Every wished package with who wishes it; what cannot be together is found out when they are resolved. */
export const settlePackages = (wishes: readonly Wish<readonly string[]>[]): readonly PackageRequest[] =>
  wishes.flatMap(({ value, by }) => value.map((text) => parseRequest(text, by)))
