import type { CargoLock, PackageSource } from './cargo-lock.js'
import { cratesIo } from './cargo-lock.js'

/** A basic string of TOML: JSON's escapes are a part of TOML's. */
const quoted = (text: string): string => JSON.stringify(text).replaceAll('\x7f', '\\u007f')

const assignment = (key: string, value: string): string => `${key} = ${quoted(value)}`

/** The name of a source and what describes it, as `[source]` tables of cargo's configuration have it. */
const described = (source: PackageSource): { readonly name: string; readonly lines: readonly string[] } => {
  if (source.kind === 'registry') {
    if (source.url === cratesIo) return { name: 'crates-io', lines: [] }
    return { name: source.url, lines: [assignment('registry', source.url)] }
  }
  const { url, reference } = source
  const lines = [
    assignment('git', url),
    ...(reference.kind === 'head' ? [] : [assignment(reference.kind, reference.name)]),
  ]
  return { name: `git+${url}?${reference.kind === 'head' ? '' : `${reference.kind}=${reference.name}`}`, lines }
}

/**
 * Tables of a cargo configuration that put the crates in `directory` in the place of every source that a lock file
 * names. Format: the chapter on source replacement of The Cargo Book.
 */
export const vendoredSources = ({ packages }: CargoLock, directory: string): string => {
  const sources = new Map([['crates-io', [] as readonly string[]]])
  for (const { source } of packages) {
    if (!source) continue
    const { name, lines } = described(source)
    sources.set(name, lines)
  }
  const tables = [...sources]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, lines]) =>
      [`[source.${quoted(name)}]`, ...lines, assignment('replace-with', 'vendored'), ''].join('\n'),
    )
  return [...tables, '[source.vendored]', assignment('directory', directory), ''].join('\n')
}

/** The table that holds the flags of rustc for one target; flags that a project states for it stay, beside these. */
export const targetFlags = (target: string, flags: readonly string[]): string =>
  [`[target.${target}]`, `rustflags = [${flags.map(quoted).join(', ')}]`, ''].join('\n')
