import type { FileTree, TapContext } from '@zos/core'
import type { CargoComponent } from './options.js'

/** Names in the tables `[[bin]]` of a Cargo.toml. */
export const declaredPrograms = (manifest: string): string[] =>
  manifest
    .split(/^[ \t]*(?=\[)/m)
    .filter((table) => table.startsWith('[[bin]]'))
    .flatMap((table) => /^[ \t]*name[ \t]*=[ \t]*["']([^"'\n]+)["']/m.exec(table)?.[1] ?? [])

/** Programs by name, and where they go; of the optional ones those that these sources have. */
export const programsOf = async (
  ctx: TapContext,
  name: string,
  { install, optionalInstall = {}, folder }: CargoComponent & { readonly folder: string },
  sources: FileTree,
): Promise<Readonly<Record<string, string>>> => {
  const always = install ?? { [name]: `/usr/bin/${name}` }
  if (Object.keys(optionalInstall).length === 0) return always
  const root = folder === '' ? '' : `/${folder}`
  const manifest = sources.get(`${root}/Cargo.toml`)
  const text = manifest?.kind === 'file' ? new TextDecoder().decode(await ctx.blobs.read(manifest.blob)) : ''
  const files = sources.list(`${root}/src/bin`).map((file) => file.replace(/\.rs$/, ''))
  const has = new Set([...files, ...declaredPrograms(text)])
  return { ...always, ...Object.fromEntries(Object.entries(optionalInstall).filter(([program]) => has.has(program))) }
}
