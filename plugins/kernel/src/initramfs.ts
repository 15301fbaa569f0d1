import { type Blob, type TapContext, ZosError } from '@zos/core'
import type { Kernel } from './kernel-artifact.js'
import { compressionOf, type InitramfsCompression, lackingForInitramfs } from './kernel-config.js'

/** The archive's first bytes; compressors begin with more than the few that are looked at. */
export const beginningOf = async (ctx: TapContext, archive: Blob): Promise<Uint8Array> => {
  for await (const chunk of ctx.blobs.stream(archive)) if (chunk.length > 0) return chunk
  return new Uint8Array()
}

/**
 * A kernel that cannot unpack its initramfs says so only on the console of a machine that does not start. Gives the
 * archive's compression.
 */
export const checkInitramfs = async (
  ctx: TapContext,
  { config, release }: Kernel,
  archive: Blob,
): Promise<InitramfsCompression> => {
  const compression = compressionOf(await beginningOf(ctx, archive))
  const lacking = lackingForInitramfs(config, compression)
  if (lacking.length === 0) return compression
  throw new ZosError(
    'KERNEL_CONFIG_LACKS',
    `kernel ${release} cannot unpack an initramfs with compression ${compression}: its config has no ${lacking.join(', ')}`,
    { hint: 'choose another: initramfs: { compression } in the config; the classic kernels all know gzip' },
  )
}
