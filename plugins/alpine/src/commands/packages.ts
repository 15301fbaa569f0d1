import { type CommandContext, closest, ExitCode, ZosError } from '@zos/core'
import { type ApkFile, readApk } from '../format/read-apk.js'
import type { AlpineOptions } from '../options.js'
import { addressesOf, mirrorsOf } from '../repository/repositories.js'
import { lockedPackages, notLocked } from './locked.js'

/** Bytes: what fits into a buffer. */
const most = 2 * 1024 ** 3

/** A file named on the command line. */
export const fileBytes = async (ctx: CommandContext, path: string): Promise<Uint8Array> => {
  const bytes = await ctx.files.bytes(path, most)
  if (bytes) return bytes
  throw new ZosError('FILE_MISSING', `${path}: no such file`, { exit: ExitCode.usage })
}

/** A package taken apart: a file `*.apk`, or one that the lock of the config pins. */
export const packageNamed = async (
  ctx: CommandContext,
  name: string,
): Promise<ApkFile & { readonly size: number; readonly bytes: Uint8Array }> => {
  if (name.endsWith('.apk')) {
    const bytes = await fileBytes(ctx, name)
    return { ...(await readApk(bytes, name)), size: bytes.length, bytes }
  }
  const packages = await lockedPackages(ctx)
  const pin = packages.find((one) => one.name === name)
  if (!pin)
    throw notLocked(
      name,
      closest(
        name,
        packages.map((one) => one.name),
        3,
      ),
    )
  const options = (await ctx.lock())?.plugins('alpine')[0]?.options as AlpineOptions | undefined
  const { sha256, size, url } = pin
  const bytes = await ctx.fetching(async (fetch) =>
    fetch.blobs.read(
      await fetch.download(addressesOf(url, mirrorsOf(options?.mirrors, fetch.env)), { sha256, size, maxSize: size }),
    ),
  )
  return { ...(await readApk(bytes, name)), size: bytes.length, bytes }
}
