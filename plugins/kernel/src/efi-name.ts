import type { Json, Ref, TapContext } from '@zos/core'

/**
 * The long name of `vmlinuz.efi`: `vmlinuz-RELEASE.efi`, or `vmlinuz-RELEASE-HASH.efi` where it is named after a
 * component: the first seven digits of its commit, or its version where it has none.
 */
export const efiAliases = async (
  ctx: TapContext,
  name: string,
  release: string,
  nameAfter: Ref | undefined,
): Promise<string[]> => {
  const { facts = {} } = nameAfter === undefined ? {} : await ctx.artifact(nameAfter)
  const hash = shortName(facts)
  return [name.replace(/\.efi$/, `-${release}${hash === undefined ? '' : `-${hash}`}.efi`)]
}

const shortName = ({ commit, version }: Readonly<Record<string, Json>>): string | undefined =>
  typeof commit === 'string' ? commit.slice(0, 7) : typeof version === 'string' ? version : undefined
