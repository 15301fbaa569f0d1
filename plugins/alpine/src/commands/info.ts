import { type CommandContext, closest, ExitCode } from '@zos/core'
import type { IndexEntry } from '../format/index-text.js'
import { compareVersions } from '../format/version.js'
import { indexEntry } from '../format/write-index.js'
import { lockedPackages, notLocked } from './locked.js'
import { packageNamed } from './packages.js'
import { offered } from './repositories.js'

/** What is known of packages: files, those of the image, or with `--repository` those that are offered. */
export const infoCommand = async (ctx: CommandContext, names: readonly string[]): Promise<number> => {
  if (names.length === 0 && ctx.options.repository === undefined) {
    const packages = await lockedPackages(ctx)
    const sorted = [...packages].sort((a, b) => (a.name < b.name ? -1 : 1))
    if (ctx.json) ctx.out(`${JSON.stringify(sorted)}\n`)
    else ctx.out(sorted.map(({ name, version }) => `${name}-${version}\n`).join(''))
    return ExitCode.ok
  }
  const entries = await entriesOf(ctx, names)
  if (ctx.json) ctx.out(`${JSON.stringify(entries)}\n`)
  else ctx.out(entries.map(described).join('\n'))
  return ExitCode.ok
}

const entriesOf = async (ctx: CommandContext, names: readonly string[]): Promise<IndexEntry[]> => {
  if (ctx.options.repository === undefined || names.some((name) => name.endsWith('.apk')))
    return Promise.all(
      names.map(async (name) => {
        const { size, ...apk } = await packageNamed(ctx, name)
        return indexEntry({ apk, size })
      }),
    )
  const universe = await offered(ctx)
  const all = universe.candidates.map(({ entry }) => entry)
  if (names.length === 0) return all
  return names.flatMap((name) => {
    const found = all.filter((entry) => entry.name === name).sort((a, b) => compareVersions(b.version, a.version))
    if (found.length === 0)
      throw notLocked(
        name,
        closest(
          name,
          all.map((entry) => entry.name),
          3,
        ),
      )
    return found
  })
}

const described = (entry: IndexEntry): string => {
  const rows: [string, string | number][] = [
    ['package', `${entry.name}-${entry.version} (${entry.arch})`],
    ['about', entry.description],
    ['home', entry.url],
    ['licence', entry.license],
    ['origin', entry.origin],
    ['size', `${entry.size} bytes, installed ${entry.installedSize}`],
    ['depends', entry.depends],
    ['provides', entry.provides],
    ['install if', entry.installIf],
    ['checksum', entry.checksum],
  ]
  return rows.flatMap(([title, value]) => (value === '' ? [] : [`${title.padEnd(12)}${value}\n`])).join('')
}
