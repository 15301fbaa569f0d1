import { ZosError } from '@zos/core'

/** What `.PKGINFO` of a package says (apk-package(5)), as far as it is known here. Lists are in their order. */
export interface PackageInfo {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly url?: string
  readonly license?: string
  readonly arch: string
  /** Bytes of all files. */
  readonly size: number
  readonly origin?: string
  readonly maintainer?: string
  readonly packager?: string
  /** Seconds since 1970. */
  readonly buildDate?: number
  readonly commit?: string
  readonly depends?: readonly string[]
  readonly provides?: readonly string[]
  readonly providerPriority?: number
  readonly installIf?: readonly string[]
  readonly replaces?: readonly string[]
  readonly replacesPriority?: number
  /** Patterns of folders whose change calls the trigger script. */
  readonly triggers?: readonly string[]
  /** SHA-256 of the compressed data segment, 64 hex digits. */
  readonly dataHash?: string
}

const texts = {
  pkgname: 'name',
  pkgver: 'version',
  pkgdesc: 'description',
  url: 'url',
  license: 'license',
  arch: 'arch',
  origin: 'origin',
  maintainer: 'maintainer',
  packager: 'packager',
  commit: 'commit',
  datahash: 'dataHash',
} as const
const numbers = {
  size: 'size',
  builddate: 'buildDate',
  provider_priority: 'providerPriority',
  replaces_priority: 'replacesPriority',
} as const
const lists = {
  depend: 'depends',
  provides: 'provides',
  install_if: 'installIf',
  replaces: 'replaces',
  triggers: 'triggers',
} as const

const most = 4 * 1024 ** 2

/** Parses `.PKGINFO`: `key = value` lines, `#` comments. Throws `APK_PKGINFO` with the line. */
export const parsePkginfo = (bytes: Uint8Array, name: string): PackageInfo => {
  if (bytes.length > most) throw new ZosError('APK_PKGINFO', `${name}: .PKGINFO of ${bytes.length} bytes`)
  const found: Record<string, string | number | string[]> = {}
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    if (line === '' || line.startsWith('#')) continue
    const split = line.indexOf(' = ')
    // `key =` without a value is how an empty field is written.
    const key = split < 0 ? line.replace(/ =$/, '') : line.slice(0, split)
    const value = split < 0 ? '' : line.slice(split + 3)
    if (split < 0 && key === line)
      throw new ZosError(
        'APK_PKGINFO',
        `${name}: .PKGINFO, line ${index + 1}: '${line.slice(0, 80)}' is no 'key = value'`,
      )
    if (Object.hasOwn(texts, key)) found[texts[key as keyof typeof texts]] ??= value
    else if (Object.hasOwn(numbers, key)) {
      if (!/^\d{1,15}$/.test(value))
        throw new ZosError('APK_PKGINFO', `${name}: .PKGINFO, line ${index + 1}: '${value.slice(0, 80)}' is no number`)
      found[numbers[key as keyof typeof numbers]] ??= Number(value)
    } else if (Object.hasOwn(lists, key)) {
      const field = lists[key as keyof typeof lists]
      const words = value.split(' ').filter((word) => word !== '')
      found[field] = [...((found[field] as string[] | undefined) ?? []), ...words]
    }
  }
  for (const key of ['name', 'version', 'arch'] as const)
    if (!found[key]) throw new ZosError('APK_PKGINFO', `${name}: .PKGINFO says no ${key}`)
  return { size: 0, ...found } as unknown as PackageInfo
}

/** The text of `.PKGINFO`. */
export const pkginfoText = (info: PackageInfo): string => {
  const line = (key: string, value: string | number | undefined): string =>
    value === undefined || value === '' ? '' : `${key} = ${value}\n`
  const many = (key: string, values: readonly string[] = []): string => values.map((value) => line(key, value)).join('')
  return [
    ...Object.entries(texts).map(([key, field]) => (field === 'dataHash' ? '' : line(key, info[field]))),
    ...Object.entries(numbers).map(([key, field]) => line(key, info[field])),
    many('depend', info.depends),
    many('provides', info.provides),
    many('install_if', info.installIf),
    many('replaces', info.replaces),
    line('triggers', info.triggers?.join(' ')),
    line('datahash', info.dataHash),
  ].join('')
}
