import { type CommandContext, ExitCode, ZosError } from '@zos/core'
import type { AlpinePin, PackagePin } from '../pin.js'

/** The packages that the lock of this config pins for the image, in install order. */
export const lockedPackages = async (ctx: CommandContext): Promise<readonly PackagePin[]> => {
  const lock = await ctx.lock()
  if (!lock)
    throw new ZosError('LOCK_MISSING', 'this config has no lock yet, so it pins no packages', {
      hint: 'make one: zos lock',
      exit: ExitCode.lock,
    })
  const pins = lock.plugins('alpine').map(({ id }) => lock.pin(id, 'packages') as AlpinePin | undefined)
  if (pins.every((pin) => pin === undefined))
    throw new ZosError('ALPINE_LOCK', `${lock.file} pins no Alpine packages`, {
      hint: 'does the config have alpine()? then: zos lock',
      exit: ExitCode.lock,
    })
  return pins.flatMap((pin) => pin?.root ?? [])
}

/** Says that a name is not there, and which ones come near. */
export const notLocked = (name: string, near: readonly string[]): ZosError =>
  new ZosError('ALPINE_PACKAGE', `${name} is not in the image`, {
    subject: name,
    exit: ExitCode.usage,
    ...(near.length > 0 && { hint: `near: ${near.join(', ')}` }),
  })
