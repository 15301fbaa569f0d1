import { ZosError } from '@zos/core'
import { fieldOf, parseDeb822, type Stanza } from '../control/deb822.js'

/** What verifies a source: keyring files, fingerprints of keys in apt's common keyrings, or a key block in the text. */
export type SignedBy =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'fingerprints'; readonly fingerprints: readonly string[] }
  | { readonly kind: 'key'; readonly armored: string }

/** One entry of apt's sources.list(5), in either of its two forms. */
export interface AptSource {
  /** `deb`, `deb-src` or both. */
  readonly types: readonly string[]
  readonly uris: readonly string[]
  /** With a trailing `/`: a flat repository, which has no components. */
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** Empty: every architecture of the host. */
  readonly architectures: readonly string[]
  readonly signedBy?: SignedBy
  /** `path:line`. */
  readonly from: string
}

const limits = { bytes: 4 * 1024 * 1024, entries: 10_000 }

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter((word) => word !== '')

const isFalse = (text: string | undefined): boolean =>
  ['no', 'false', '0', 'off', 'without', 'disable'].includes((text ?? '').trim().toLowerCase())

const parseSignedBy = (text: string | undefined): SignedBy | undefined => {
  if (text === undefined || text.trim() === '') return undefined
  if (text.includes('-----BEGIN PGP'))
    return {
      kind: 'key',
      armored: text
        .split('\n')
        .map((line) => (line.trim() === '.' ? '' : line.trim()))
        .filter((line, index) => index > 0 || line !== '')
        .join('\n'),
    }
  const values = text.split(/[\s,]+/).filter((word) => word !== '')
  if (values.every((value) => value.startsWith('/'))) return { kind: 'files', paths: values }
  return { kind: 'fingerprints', fingerprints: values }
}

const checked = (source: AptSource): AptSource => {
  const wrong = (what: string) => new ZosError('DEBIAN_APT_SOURCES', `${source.from}: ${what}`)
  for (const type of source.types)
    if (type !== 'deb' && type !== 'deb-src') throw wrong(`the type '${type}' is neither deb nor deb-src`)
  if (source.types.length === 0) throw wrong('it names no type')
  if (source.uris.length === 0) throw wrong('it names no URI')
  if (source.suites.length === 0) throw wrong('it names no suite')
  for (const uri of source.uris)
    if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(uri)) throw wrong(`'${uri.slice(0, 100)}' is no URI`)
  for (const suite of source.suites)
    if (!suite.endsWith('/') && source.components.length === 0) throw wrong(`the suite ${suite} has no components`)
  return source
}

/** A `.sources` file; entries that are not enabled are left out. Throws `DEBIAN_APT_SOURCES` naming file and line. */
export const parseSourcesFile = (text: string, file: string): AptSource[] => {
  const stanzas = parseDeb822(text, { file, comments: true })
  if (stanzas.length > limits.entries)
    throw new ZosError('DEBIAN_APT_SOURCES', `${file}: it has more than ${limits.entries} entries`)
  return stanzas.flatMap((stanza) => (isFalse(fieldOf(stanza, 'Enabled')) ? [] : [fromStanza(stanza, file)]))
}

const fromStanza = (stanza: Stanza, file: string): AptSource => {
  const list = (name: string) => words(fieldOf(stanza, name))
  const signedBy = parseSignedBy(fieldOf(stanza, 'Signed-By'))
  return checked({
    types: list('Types'),
    uris: list('URIs'),
    suites: list('Suites'),
    components: list('Components'),
    architectures: list('Architectures'),
    ...(signedBy && { signedBy }),
    from: `${file}:${stanza.line}`,
  })
}

/** A one-line `.list` file. Throws `DEBIAN_APT_SOURCES` naming file and line. */
export const parseListFile = (text: string, file: string): AptSource[] => {
  if (text.length > limits.bytes)
    throw new ZosError('DEBIAN_APT_SOURCES', `${file}: it is larger than ${limits.bytes} bytes`)
  const sources: AptSource[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*$/, '').trim()
    if (entry === '') continue
    const from = `${file}:${index + 1}`
    // A URI may hold blanks only inside brackets (`cdrom:[Debian 12]/`), options stand in brackets before it.
    const match = /^(\S+)\s+(?:\[([^\]]*)\]\s+)?((?:\[[^\]]*\]|[^\s[])+)\s+(.*)$/.exec(entry)
    if (!match)
      throw new ZosError('DEBIAN_APT_SOURCES', `${from}: '${entry.slice(0, 100)}' is no 'deb URI suite component'`)
    const [, type = '', optionText = '', uri = '', rest = ''] = match
    const options = parseOptions(optionText, from)
    if (isFalse(options.get('enabled'))) continue
    const [suite = '', ...components] = words(rest)
    const signedBy = parseSignedBy(options.get('signed-by'))
    sources.push(
      checked({
        types: [type],
        uris: [uri.replaceAll(' ', '%20')],
        suites: [suite],
        components,
        architectures: (options.get('arch') ?? '').split(',').filter((name) => name !== ''),
        ...(signedBy && { signedBy }),
        from,
      }),
    )
    if (sources.length > limits.entries)
      throw new ZosError('DEBIAN_APT_SOURCES', `${file}: it has more than ${limits.entries} entries`)
  }
  return sources
}

const parseOptions = (text: string, from: string): Map<string, string> => {
  const options = new Map<string, string>()
  for (const word of words(text)) {
    const match = /^([A-Za-z-]+)[+-]?=(.*)$/.exec(word)
    if (!match) throw new ZosError('DEBIAN_APT_SOURCES', `${from}: '${word.slice(0, 60)}' is no option=value`)
    options.set(match[1]!.toLowerCase(), match[2]!)
  }
  return options
}

/** All entries of apt's configuration, by the rules that apt has for file names; sorted by path, as apt reads them. */
export const parseAptSources = (files: readonly { readonly path: string; readonly text: string }[]): AptSource[] =>
  [...files]
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .flatMap(({ path, text }) => {
      if (path.endsWith('.sources')) return parseSourcesFile(text, path)
      return path.endsWith('.list') ? parseListFile(text, path) : []
    })
