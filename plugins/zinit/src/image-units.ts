import { type DeltaBuilder, type Finding, type TapContext, type TreeView, ZosError } from '@zos/core'
import { graphProblems, type UnitProblem } from './graph.js'
import type { ZinitOptions } from './options.js'
import { programProblems } from './programs.js'
import { type Dialect, dialectOf, renderUnit, unitPath } from './render.js'
import type { ReadUnit, Unit } from './service.js'
import { unitOf, zinitService } from './wishes.js'

/** Folder of the image for scripts that units call. */
const scriptFolder = '/etc/zinit/init'

/** Folders of the image that a zinit reads its units from. */
const unitFolders: Record<Dialect, readonly string[]> = {
  yaml: ['/etc/zinit'],
  toml: ['/etc/zinit/system', '/etc/zinit/services'],
}

/** Which unit files the image's zinit reads. */
export const imageDialect = async (ctx: TapContext, { dialect, program }: ZinitOptions): Promise<Dialect> => {
  if (dialect) return dialect
  const { facts } = await ctx.artifact(program!)
  return dialectOf(String(facts?.version ?? 'nothing'))
}

const readerFor = async (path: string): Promise<((text: string, file: string) => ReadUnit) | undefined> => {
  if (path.endsWith('.yaml')) return (await import('./yaml.js')).readYaml
  if (path.endsWith('.toml')) return (await import('./toml.js')).readToml
  return undefined
}

/** The units of the config: of its folder, or written into it; `notes` go to the build's warnings. */
const configUnits = async (
  ctx: TapContext,
  services: ZinitOptions['services'],
): Promise<Map<string, [Unit, string]>> => {
  const units = new Map<string, [Unit, string]>()
  if (typeof services !== 'string') {
    for (const [name, options] of Object.entries(services)) {
      const where = `zinit({ services: { ${JSON.stringify(name)} } })`
      units.set(name, [unitOf(name, options, where), where])
    }
    return units
  }
  const paths = await ctx.project.glob(`${services}/*`)
  if (paths.length === 0) {
    throw new ZosError('ZINIT_NO_UNITS', `there are no files in ${services}, expected units of zinit`, {
      hint: 'correct zinit({ services }); paths are relative to the project',
    })
  }
  for (const path of paths) {
    const read = await readerFor(path)
    if (!read) {
      throw new ZosError('ZINIT_FILE', `${path} is neither *.yaml nor *.toml, so zinit would never read it`, {
        hint: `rename it, or move it out of ${services}; scripts belong into ${services}/init`,
      })
    }
    const { unit, notes } = read(await ctx.project.text(path), path)
    const other = units.get(unit.name)
    if (other) throw twice(unit.name, other[1], path)
    units.set(unit.name, [unit, path])
    for (const note of notes) ctx.warn('ZINIT_UNIT', note)
  }
  return units
}

const twice = (name: string, first: string, second: string): ZosError =>
  new ZosError('ZINIT_TWICE', `the unit ${name} is in ${first} and in ${second}`, {
    subject: name,
    hint: 'keep one of them, or give one another name',
  })

/** Puts all units in the image's dialect, and the scripts that came with them. */
export const putUnits = async (tree: TreeView, ctx: TapContext, options: ZinitOptions): Promise<DeltaBuilder> => {
  const dialect = await imageDialect(ctx, options)
  const units = await configUnits(ctx, options.services)
  for (const unit of ctx.settled(zinitService)) {
    const own = units.get(unit.name)
    if (own) throw twice(unit.name, own[1], 'a wish of another plugin')
    units.set(unit.name, [unit, 'a wish'])
  }
  const present = new Set(units.keys())
  const delta = tree.delta()
  for (const [unit] of units.values()) delta.file(unitPath(unit, dialect), renderUnit(unit, dialect, present))
  if (typeof options.services === 'string') {
    for (const path of await ctx.project.glob(`${options.services}/init/*`)) {
      const name = path.slice(path.lastIndexOf('/') + 1)
      delta.file(`${scriptFolder}/${name}`, await ctx.project.bytes(path), { mode: 0o755 })
    }
  }
  return delta
}

/** Reads the units out of the finished tree, whoever put them there, and says all that is wrong with them. */
export const unitFindings = async (tree: TreeView, ctx: TapContext, options: ZinitOptions): Promise<Finding[]> => {
  const dialect = await imageDialect(ctx, options)
  const units = new Map<string, Unit>()
  const findings: Finding[] = []
  for (const folder of unitFolders[dialect]) {
    for (const name of tree.list(folder)) {
      const path = `${folder}/${name}`
      if (!name.endsWith(`.${dialect}`) || tree.get(path)?.kind !== 'file') continue
      const read = (await readerFor(path))!
      const { unit } = read(await tree.text(path), path)
      if (units.has(unit.name)) {
        const message = `${path} and another file both hold the unit ${unit.name}`
        findings.push({ level: 'error', code: 'ZINIT_TWICE', subject: unit.name, message, hint: 'remove one of them' })
      }
      units.set(unit.name, unit)
    }
  }
  const all = [...units.values()]
  const problems = [...graphProblems(all), ...(await programProblems(all, tree, ctx.blobs, dialect))]
  return [...findings, ...problems.map(finding)]
}

const finding = ({ severity, code, unit, message, hint }: UnitProblem): Finding => ({
  level: severity,
  code,
  subject: unit,
  message,
  ...(hint !== undefined && { hint }),
})
