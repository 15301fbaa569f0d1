import { ZosError } from '@zos/core'
import { formatStanza } from '../control/deb822.js'

/** A package as it lies in the tree. */
export interface InstalledPackage {
  readonly name: string
  readonly architecture: string
  readonly multiArch: string
  /** Fields of the package's own control file, in its order. */
  readonly control: readonly (readonly [string, string])[]
  /** Every path that the package brings, as its archive spells it (`/bin/kmod` also where `/bin` is a link). */
  readonly paths: readonly string[]
  /** MD5 of files by path, 32 hex digits; of configuration files at least. */
  readonly md5: Readonly<Record<string, string>>
  readonly conffiles: readonly string[]
}

/** Fields of a control file that the status file does not have, since dpkg writes them itself. */
const ownFields = new Set(['status', 'conffiles', 'config-version', 'triggers-pending', 'triggers-awaited'])

const md5Form = /^[0-9a-f]{32}$/

/**
 * dpkg's database of installed packages (dpkg(1), FILES): contents by absolute path. `dpkg -l` and `dpkg -V` read it.
 * Throws `DEBIAN_STATUS` for a configuration file without digest or a path that a list cannot hold.
 */
export const dpkgDatabase = (packages: readonly InstalledPackage[]): Record<string, string> => {
  const sorted = [...packages].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
  const files: Record<string, string> = {
    '/var/lib/dpkg/status': sorted.map((installed) => `${statusOf(installed)}\n`).join(''),
    '/var/lib/dpkg/available': '',
    '/var/lib/dpkg/info/format': '1\n',
  }
  for (const installed of sorted) {
    const base = `/var/lib/dpkg/info/${key(installed)}`
    files[`${base}.list`] = ['/.', ...installed.paths].map((path) => `${checkedPath(path, installed)}\n`).join('')
    // dpkg keeps configuration files out of md5sums: they may be changed on the machine.
    const digests = Object.entries(installed.md5)
      .filter(([path]) => !installed.conffiles.includes(path))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    // There even when it is empty: `dpkg --audit` asks for it.
    files[`${base}.md5sums`] = digests
      .map(([path, md5]) => `${md5}  ${checkedPath(path, installed).slice(1)}\n`)
      .join('')
    if (installed.conffiles.length > 0)
      files[`${base}.conffiles`] = installed.conffiles.map((path) => `${checkedPath(path, installed)}\n`).join('')
  }
  return files
}

/** Packages that may be there for several architectures have theirs in the file name. */
const key = ({ name, architecture, multiArch }: InstalledPackage): string =>
  multiArch === 'same' ? `${name}:${architecture}` : name

const statusOf = (installed: InstalledPackage): string => {
  const fields = installed.control.filter(([name]) => !ownFields.has(name.toLowerCase()))
  const at = fields.findIndex(([name]) => name.toLowerCase() === 'package')
  if (at < 0) throw new ZosError('DEBIAN_STATUS', `${installed.name}: its control file has no field Package`)
  const conffiles = installed.conffiles.map((path) => {
    const md5 = installed.md5[path]
    if (!md5 || !md5Form.test(md5))
      throw new ZosError('DEBIAN_STATUS', `${installed.name}: no MD5 of the configuration file ${path}`)
    return `\n${checkedPath(path, installed)} ${md5}`
  })
  return formatStanza([
    fields[at]!,
    ['Status', 'install ok installed'],
    ...fields.filter((_, index) => index !== at),
    ...(conffiles.length > 0 ? [['Conffiles', conffiles.join('')] as const] : []),
  ])
}

const checkedPath = (path: string, { name }: InstalledPackage): string => {
  if (path.startsWith('/') && !path.includes('\n')) return path
  throw new ZosError('DEBIAN_STATUS', `${name}: the path ${JSON.stringify(path)} cannot stand in dpkg's lists`)
}
