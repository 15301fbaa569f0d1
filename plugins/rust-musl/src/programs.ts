import type { FileTree, TapContext } from '@zos/core'
import { parse } from 'smol-toml'
import type { CargoComponent } from './options.js'

/** The table `[[bin]]` of a Cargo.toml: name of a program → features without which cargo does not build it. */
export const declaredPrograms = (manifest: string): ReadonlyMap<string, readonly string[]> => {
  let tables: unknown
  try {
    tables = parse(manifest).bin
  } catch {
    // Cargo itself says what is wrong with the file, and where.
  }
  const isText = (value: unknown): value is string => typeof value === 'string'
  return new Map(
    (Array.isArray(tables) ? tables : []).flatMap((table: { name?: unknown; 'required-features'?: unknown }) => {
      const features = table['required-features']
      return isText(table.name) ? [[table.name, Array.isArray(features) ? features.filter(isText) : []]] : []
    }),
  )
}

/** What cargo builds of a component. */
export interface Programs {
  /** Programs by name, and where they go; of the optional ones those that these sources have. */
  readonly places: Readonly<Record<string, string>>
  /** Features of the component and those that its programs cannot do without. */
  readonly features: readonly string[]
}

export const programsOf = async (
  ctx: TapContext,
  name: string,
  { install, optionalInstall = {}, features = [], folder }: CargoComponent & { readonly folder: string },
  sources: FileTree,
): Promise<Programs> => {
  const root = folder === '' ? '' : `/${folder}`
  const manifest = sources.get(`${root}/Cargo.toml`)
  const text = manifest?.kind === 'file' ? new TextDecoder().decode(await ctx.blobs.read(manifest.blob)) : ''
  const declared = declaredPrograms(text)
  const files = sources.list(`${root}/src/bin`).map((file) => file.replace(/\.rs$/, ''))
  const has = new Set([...files, ...declared.keys()])
  const places = {
    ...(install ?? { [name]: `/usr/bin/${name}` }),
    ...Object.fromEntries(Object.entries(optionalInstall).filter(([program]) => has.has(program))),
  }
  const required = Object.keys(places).flatMap((program) => declared.get(program) ?? [])
  return { places, features: [...new Set([...features, ...required])] }
}
