import { type CommandContext, ExitCode, isZosError, ZosError } from '@zos/core'
import { parseIndex } from '../format/index-text.js'
import { readApk, refuseAdb } from '../format/read-apk.js'
import { readIndex } from '../format/read-index.js'
import { checkSignature, type PublicKeys } from '../format/signature.js'
import { fileBytes } from './packages.js'
import { allKeys } from './repositories.js'

/** Checks signatures and digests of packages and indexes; all of them are looked at before it fails. */
export const verifyCommand = async (ctx: CommandContext, paths: readonly string[]): Promise<number> => {
  if (paths.length === 0)
    throw new ZosError('CLI_USAGE', 'zos apk verify: which files?', {
      hint: 'zos apk verify FILE…',
      exit: ExitCode.usage,
    })
  const keys = await allKeys(ctx)
  let failed = 0
  for (const path of paths) {
    const result = await verifyFile(ctx, path, keys)
    if ('code' in result) failed++
    if (ctx.json) ctx.out(`${JSON.stringify({ file: path, ...result })}\n`)
    else
      ctx.out(
        'code' in result
          ? `${path}: ${result.code} ${result.problem}\n`
          : `${path}: ok, ${result.what}, signed by ${result.key}\n`,
      )
  }
  return failed > 0 ? ExitCode.fetch : ExitCode.ok
}

const verifyFile = async (
  ctx: CommandContext,
  path: string,
  keys: PublicKeys,
): Promise<{ readonly what: string; readonly key: string } | { readonly code: string; readonly problem: string }> => {
  const bytes = await fileBytes(ctx, path)
  try {
    refuseAdb(bytes, path)
    if (path.endsWith('.tar.gz')) {
      const { text, key } = await readIndex(bytes, keys, path)
      return { what: `index of ${parseIndex(text, path).length} packages`, key }
    }
    const { control, signatures, info } = await readApk(bytes, path)
    return { what: `${info.name} ${info.version}`, key: checkSignature(control, signatures, keys, path) }
  } catch (error) {
    if (!isZosError(error)) throw error
    return { code: error.code, problem: error.message }
  }
}
