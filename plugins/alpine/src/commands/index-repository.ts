import { type CommandContext, ExitCode, ZosError } from '@zos/core'
import { apkFile } from '../apk-source.js'
import { indexPackage, writeIndex } from '../format/write-index.js'
import { fileBytes } from './packages.js'

/** Makes a repository of a folder of packages: `APKINDEX.tar.gz` in it, signed. */
export const indexCommand = async (ctx: CommandContext, folders: readonly string[]): Promise<number> => {
  const [folder] = folders
  const keyFile = ctx.options.key as string | undefined
  if (folder === undefined || folders.length > 1 || keyFile === undefined)
    throw new ZosError('CLI_USAGE', 'zos apk index: expected one folder of packages, and the key that signs', {
      hint: 'zos apk index FOLDER --key builder.rsa',
      exit: ExitCode.usage,
    })
  const names = (await ctx.files.list(folder)).filter((name) => name.endsWith('.apk'))
  if (names.length === 0)
    throw new ZosError('APK_INDEX', `${folder}: no packages (*.apk) in this folder`, { exit: ExitCode.usage })
  const packages = []
  for (const name of names) {
    const one = await indexPackage(await fileBytes(ctx, `${folder}/${name}`), `${folder}/${name}`)
    const expected = apkFile(one.apk.info)
    if (name !== expected)
      throw new ZosError('APK_INDEX', `${folder}/${name} is ${expected}: apk would look for it under that name`, {
        hint: `rename it: mv ${folder}/${name} ${folder}/${expected}`,
      })
    packages.push(one)
  }
  const base = keyFile.slice(keyFile.lastIndexOf('/') + 1)
  const key = {
    name: (ctx.options['key-name'] as string | undefined) ?? `${base}.pub`,
    privateKey: Buffer.from(await fileBytes(ctx, keyFile)).toString('utf8'),
  }
  const description = ctx.options.description as string | undefined
  const bytes = await writeIndex(packages, key, description === undefined ? {} : { description })
  await ctx.files.write(`${folder}/APKINDEX.tar.gz`, bytes)
  if (ctx.json)
    ctx.out(`${JSON.stringify({ index: `${folder}/APKINDEX.tar.gz`, packages: names.length, key: key.name })}\n`)
  else ctx.out(`${folder}/APKINDEX.tar.gz: ${names.length} packages, signed as ${key.name}\n`)
  return ExitCode.ok
}
