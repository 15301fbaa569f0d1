// Licences out of a package's copyright file. Source: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

/** What a copyright file says: an SPDX expression where all of it has one, else its own words. */
export interface DeclaredLicense {
  readonly license?: string
  readonly licenseComment?: string
}

/** Debian's short names that SPDX has under another name or in another spelling. */
const renamed: Readonly<Record<string, string>> = {
  expat: 'MIT',
  mit: 'MIT',
  isc: 'ISC',
  zlib: 'Zlib',
  x11: 'X11',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  'apache-2.0': 'Apache-2.0',
  'cc0-1.0': 'CC0-1.0',
  cc0: 'CC0-1.0',
  'mpl-2.0': 'MPL-2.0',
  'bsl-1.0': 'BSL-1.0',
  curl: 'curl',
  '0bsd': '0BSD',
  openssl: 'OpenSSL',
}

/** `GPL-2+` → `GPL-2.0-or-later`; undefined for what SPDX has no name for. */
const spdxName = (name: string): string | undefined => {
  const [, family, number = '', later] = /^(A?GPL|LGPL|GFDL)-?v?(\d+(?:\.\d+)?)?(\+)?$/i.exec(name) ?? []
  if (family === undefined) return renamed[name.toLowerCase()]
  if (number === '') return undefined
  const version = number.includes('.') ? number : `${number}.0`
  return `${family.toUpperCase()}-${family === 'GFDL' ? number : version}-${later ? 'or-later' : 'only'}`
}

/** `GPL-2+ or Expat` as an expression; undefined where a part has no name in SPDX. */
const expressionOf = (text: string): string | undefined => {
  const parts = text.split(/,?\s+(and|or)\s+/i)
  const names = parts.map((part, index) => (index % 2 === 1 ? part.toUpperCase() : spdxName(part.trim())))
  if (names.some((name) => name === undefined)) return undefined
  return names.length > 1 ? `(${names.join(' ')})` : names[0]
}

const unique = (texts: Iterable<string>): string[] => [...new Set(texts)].sort()

/** Licences of a package's files, without those of the packaging in `debian/`. */
export const declaredLicense = (copyright: string): DeclaredLicense => {
  if (!/^Format(-Specification)?:/im.test(copyright.slice(0, 2000))) {
    const referred = unique(
      [...copyright.matchAll(/\/usr\/share\/common-licenses\/([A-Za-z0-9][A-Za-z0-9.+-]*[A-Za-z0-9])/g)].map(
        ([, name]) => name!,
      ),
    )
    return referred.length > 0 ? { licenseComment: `the copyright file refers to ${referred.join(', ')}` } : {}
  }
  const said = copyright.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const [, files] = /^Files:[ \t]*([\s\S]*?)(?=\n\S|$)/m.exec(stanza) ?? []
    const [, license] = /^License:[ \t]*(.+)$/m.exec(stanza) ?? []
    const isPackaging = files
      ?.trim()
      .split(/\s+/)
      .every((path) => path.startsWith('debian/'))
    return files !== undefined && license !== undefined && !isPackaging ? [license.trim()] : []
  })
  const names = unique(said)
  if (names.length === 0) return {}
  const expressions = names.map(expressionOf)
  if (expressions.every((one) => one !== undefined)) return { license: unique(expressions).join(' AND ') }
  return { licenseComment: `the copyright file says: ${names.join('; ')}` }
}
