import { ZosError } from '@zos/core'

/** A line of a classic `sources.conf`: `TYPE:NAME:URL:VERSION:BUILD_FUNCTION[:EXTRA]`. */
export interface ClassicSource {
  readonly type: 'git' | 'release'
  readonly name: string
  readonly url: string
  /** A branch, a tag, or the version of a release. */
  readonly version: string
  /** The shell function that built it. */
  readonly build: string
  /** `key=value` pairs, parted by commas. */
  readonly extra: Readonly<Record<string, string>>
}

/** Lines and characters of a list that somebody wrote by hand. */
const limit = 256 * 1024

const line =
  /^(git|release):([A-Za-z0-9_][A-Za-z0-9._+-]*):([a-z][a-z0-9+]*:\/\/(?:[^:\s]|:(?=\d+\/))+):([^:\s]+):([^:\s]+)(?::(.*))?$/

/** Parses a classic `sources.conf`; `#` comments. What is no such line throws `RUST_SOURCES_CONF` with file and line. */
export const parseSourcesConf = (text: string, file: string): ClassicSource[] => {
  if (text.length > limit) throw new ZosError('RUST_SOURCES_CONF', `${file} has more than ${limit} characters`)
  const seen = new Map<string, number>()
  return text.split('\n').flatMap((raw, index): ClassicSource[] => {
    const content = raw.replace(/(^|\s)#.*$/, '').trim()
    if (content === '') return []
    const where = `${file}:${index + 1}`
    const match = line.exec(content)
    if (!match) {
      throw new ZosError('RUST_SOURCES_CONF', `${where}: found ${JSON.stringify(content.slice(0, 120))}`, {
        hint: 'expected TYPE:NAME:URL:VERSION:BUILD_FUNCTION[:EXTRA], TYPE being git or release',
      })
    }
    const [, type, name = '', url = '', version = '', build = '', extra = ''] = match
    const before = seen.get(name)
    if (before !== undefined) throw new ZosError('RUST_SOURCES_CONF', `${where}: ${name} is in line ${before} already`)
    seen.set(name, index + 1)
    const pairs = extra.split(',').filter((pair) => pair !== '')
    return [
      {
        ...{ type: type as ClassicSource['type'], name, url, version, build },
        extra: Object.fromEntries(
          pairs.map((pair) => [pair.split('=')[0]!.trim(), pair.split('=').slice(1).join('=')]),
        ),
      },
    ]
  })
}

/** What the classic build's functions did beyond `cargo build --release`, as options. */
const built: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  build_zinit: { install: { zinit: '/sbin/zinit' } },
  build_rfs: { features: ['build-binary'], tools: ['perl', 'make'] },
  build_mycelium: { subdir: 'myceliumd', tools: ['perl', 'make'] },
}

/** The same as components of `rustMusl({ … })`, and what a person has to look at. */
export const renderSources = (sources: readonly ClassicSource[]): { code: string; notes: string[] } => {
  const notes: string[] = []
  const lines = sources.map(({ type, name, url, version, build, extra }) => {
    const known = built[build] ?? {}
    const { rename, features, subdir, ...others } = extra
    for (const key of Object.keys(others))
      notes.push(`${name}: ${key}=${others[key]} has no equivalent and is left out`)
    if (type === 'git' && !(build in built))
      notes.push(`${name}: what ${build} did beyond cargo build is not known here: see install, features and subdir`)
    const options =
      type === 'release'
        ? { ...(rename && { rename }) }
        : { ref: version, ...known, ...(features && { features: features.split('+') }), ...(subdir && { subdir }) }
    const shown = Object.keys(options).length > 0 ? `, ${literal(options)}` : ''
    return `  ${key(name)}: ${type}(${text(url)}${shown}),\n`
  })
  return { code: `rustMusl({\n${lines.join('')}})\n`, notes }
}

const text = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const key = (name: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : text(name))

const literal = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, member]) => `${key(name)}: ${literal(member)}`)
      .join(', ')} }`
  return text(String(value))
}
