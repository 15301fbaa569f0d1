import { type CommandContext, ExitCode, ZosError } from '@zos/core'
import { decompress, readTar } from '@zos/core/format'
import { packageNamed } from './packages.js'

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const marks = { directory: '/', symlink: ' → ', link: ' = ' } as const

/** Prints the files of packages: `*.apk`, or packages of the image. */
export const filesCommand = async (ctx: CommandContext, names: readonly string[]): Promise<number> => {
  if (names.length === 0)
    throw new ZosError('CLI_USAGE', 'zos apk files: of which package?', {
      hint: 'zos apk files NAME|FILE.apk',
      exit: ExitCode.usage,
    })
  for (const name of names) {
    const { data } = await packageNamed(ctx, name)
    for await (const { header } of readTar(decompress(once(data), 'gz', { name }), { name, end: 'none' })) {
      const { kind, size, mode, uname, gname, linkpath } = header
      const path = `/${header.path.replace(/^\.?\/+/, '').replace(/\/$/, '')}`
      const owner = `${uname || header.uid}:${gname || header.gid}`
      if (ctx.json)
        ctx.out(
          `${JSON.stringify({ package: name, path, kind, size, mode, owner, ...(linkpath !== '' && { target: linkpath }) })}\n`,
        )
      else {
        const mark = kind === 'directory' || kind === 'symlink' || kind === 'link' ? marks[kind] : ''
        ctx.out(
          `${mode.toString(8).padStart(4, '0')} ${owner.padEnd(12)} ${String(size).padStart(10)} ${path}${mark}${linkpath}\n`,
        )
      }
    }
  }
  return ExitCode.ok
}
