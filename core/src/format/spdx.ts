// SPDX 2.3 in its JSON form. Source: https://spdx.github.io/spdx-spec/v2.3/ and its JSON schema.
import { canonical, sha256 } from '../model/canonical.js'
import type { Package } from '../model/package.js'

/** What a document says. */
export interface BillOfMaterials {
  /** Name of the image, and what tells its builds apart. */
  readonly name: string
  readonly version: string
  /** Seconds since 1970. */
  readonly epoch: number
  /** Name and version of the program that made it: `zos-0.1.0`. */
  readonly tool: string
  /** Files of the output folder, with SHA-256. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
  /** Packages whose files are in the root file system, or that outputs were made from. */
  readonly packages: readonly { readonly isContained: boolean; readonly one: Package }[]
}

const document = 'SPDXRef-DOCUMENT'
const image = 'SPDXRef-Image'
const unknown = 'NOASSERTION'

/** Letters, digits, `.` and `-`; unique by a digest of what it stands for. */
const idOf = (kind: string, name: string, unique: string): string =>
  `SPDXRef-${kind}-${name.replace(/[^A-Za-z0-9.-]+/g, '-')}-${sha256(unique).slice(0, 12)}`

/** The grammar has `+` after any id; tools know it with those of GNU alone. */
const term = /^(?:[A-Za-z0-9][A-Za-z0-9.-]*|(?:A?GPL|LGPL|GFDL)-[0-9.]+\+)$/

/** Whether a text has the form of a licence expression (annex D): terms joined by AND, OR and WITH, in parentheses. */
export const isLicenseExpression = (text: string): boolean => {
  let depth = 0
  let isTermNext = true
  for (const word of text.match(/[()]|[^\s()]+/g) ?? ['']) {
    if (word === '(') {
      if (!isTermNext) return false
      depth++
    } else if (word === ')') {
      if (isTermNext || --depth < 0) return false
    } else if (/^(AND|OR|WITH)$/.test(word)) {
      if (isTermNext) return false
      isTermNext = true
    } else {
      if (!isTermNext || !term.test(word)) return false
      isTermNext = false
    }
  }
  return depth === 0 && !isTermNext
}

const packageOf = (one: Package) => {
  const isExpression = one.license !== undefined && isLicenseExpression(one.license)
  const comments = [isExpression ? undefined : one.license, one.licenseComment].filter((text) => text !== undefined)
  return {
    SPDXID: idOf('Package', one.name, one.purl),
    name: one.name,
    versionInfo: one.version,
    downloadLocation: one.download ?? unknown,
    filesAnalyzed: false,
    ...(one.supplier && { supplier: `Organization: ${one.supplier}` }),
    ...(one.homepage && { homepage: one.homepage }),
    ...(one.sha256 && { checksums: [{ algorithm: 'SHA256', checksumValue: one.sha256 }] }),
    licenseConcluded: unknown,
    licenseDeclared: isExpression ? one.license : unknown,
    ...(comments.length > 0 && { licenseComments: comments.join('; ') }),
    copyrightText: unknown,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: one.purl }],
  }
}

const fileOf = ({ name, sha256: digest }: BillOfMaterials['files'][number]) => ({
  SPDXID: idOf('File', name, name),
  name,
  packageFileName: name,
  downloadLocation: unknown,
  filesAnalyzed: false,
  checksums: [{ algorithm: 'SHA256', checksumValue: digest }],
  licenseConcluded: unknown,
  licenseDeclared: unknown,
  copyrightText: unknown,
  primaryPackagePurpose: 'FILE',
})

/** All packages with what they are made from, once each, by package URL. */
const flattened = (packages: readonly Package[], found = new Map<string, Package>()): Map<string, Package> => {
  for (const one of packages) {
    if (found.has(one.purl)) continue
    found.set(one.purl, one)
    flattened(one.madeFrom ?? [], found)
  }
  return found
}

const byId = (a: { SPDXID: string }, b: { SPDXID: string }): number => (a.SPDXID < b.SPDXID ? -1 : 1)

/** The document as text: the same bill gives the same bytes, in whatever order it names things. */
export const spdxDocument = ({ name, version, epoch, tool, files, packages }: BillOfMaterials): string => {
  const all = flattened(packages.map(({ one }) => one))
  const id = ({ name: own, purl }: Package): string => idOf('Package', own, purl)
  const relationships = [
    [document, 'DESCRIBES', image],
    ...files.map((file) => [image, 'CONTAINS', idOf('File', file.name, file.name)]),
    ...packages.map(({ isContained, one }) => [image, isContained ? 'CONTAINS' : 'GENERATED_FROM', id(one)]),
    ...[...all.values()].flatMap((one) => (one.madeFrom ?? []).map((part) => [id(one), 'GENERATED_FROM', id(part)])),
  ].map(([spdxElementId, relationshipType, relatedSpdxElement]) => ({
    spdxElementId,
    relationshipType,
    relatedSpdxElement,
  }))
  const unique = new Map(relationships.map((one) => [canonical(one), one]))
  const content = {
    packages: [
      {
        SPDXID: image,
        name,
        versionInfo: version,
        downloadLocation: unknown,
        filesAnalyzed: false,
        licenseConcluded: unknown,
        licenseDeclared: unknown,
        copyrightText: unknown,
        primaryPackagePurpose: 'OPERATING-SYSTEM',
      },
      ...files.map(fileOf).sort(byId),
      ...[...all.values()].map(packageOf).sort(byId),
    ],
    relationships: [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one),
  }
  const head = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: document,
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(name)}-${sha256(canonical(content))}`,
    creationInfo: {
      created: new Date(epoch * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: ${tool}`],
    },
  }
  return `${JSON.stringify({ ...head, ...content }, undefined, 2)}\n`
}
