import { type BinaryPackage, indexFields, readBinaryPackage, type Suite } from '../dist/archive/binary-package.js'
import { parseDeb822 } from '../dist/control/deb822.js'
import { parseRequest } from '../dist/resolve/request.js'
import { resolvePackages } from '../dist/resolve/resolve-packages.js'
import { Universe } from '../dist/resolve/universe.js'

export const suiteOf = (name: string, extra: Partial<Suite> = {}): Suite => ({
  name,
  archive: name.endsWith('-security') ? 'debian-security' : 'debian',
  notAutomatic: name.endsWith('-backports'),
  butAutomaticUpgrades: name.endsWith('-backports'),
  ...extra,
})

/** Packages of one suite, written as in a `Packages` file but short: name, version, path and digest are made up. */
export const packagesOf = (text: string, suite: Suite = suiteOf('bookworm'), file = 'Packages'): BinaryPackage[] =>
  parseDeb822(text, { file }).map((stanza) => {
    const name = stanza.fields.get('Package') ?? ''
    const version = stanza.fields.get('Version') ?? '1'
    const fields = new Map([
      ['Version', version],
      ['Architecture', 'amd64'],
      ['Filename', `pool/main/${name}_${version.replace(':', '%3a')}.deb`],
      ['Size', '1'],
      ['SHA256', Buffer.from(`${name} ${version} ${suite.name}`).toString('hex').padEnd(64, '0').slice(0, 64)],
      ...stanza.fields,
    ])
    return readBinaryPackage({ line: stanza.line, fields }, suite, file)
  })

export const readIndex = (bytes: Uint8Array, suite: Suite, file: string): BinaryPackage[] =>
  parseDeb822(bytes, { file, fields: indexFields }).map((stanza) => readBinaryPackage(stanza, suite, file))

export const universeOf = (...packages: (string | BinaryPackage[])[]): Universe =>
  new Universe(
    packages.flatMap((some) => (typeof some === 'string' ? packagesOf(some) : some)),
    'amd64',
  )

/** `name=version` of what a request resolves to. */
export const resolve = (universe: Universe, names: readonly string[], by = 'debian({ packages })'): string[] =>
  resolvePackages(
    universe,
    names.map((name) => parseRequest(name, by)),
  ).map(({ binary }) => `${binary.name}=${binary.version}`)
