// Versions of packages, out of package URLs and the databases that images have.

/** A package URL without its version: what stays when a package is updated. */
export const packageKey = (purl: string): string => purl.replace(/@[^?#]*/, '').replace(/^pkg:/, '')

/** Databases of packages inside an image. */
export const databases = ['/var/lib/dpkg/status', '/lib/apk/db/installed', '/usr/lib/apk/db/installed'] as const

/** Versions by name, of dpkg's status (deb822) or apk's database (one-letter fields). */
export const installedPackages = (database: string, text: string): Record<string, string> => {
  const isDpkg = database.endsWith('status')
  const [name, version] = isDpkg ? [/^Package: (.+)$/m, /^Version: (.+)$/m] : [/^P:(.+)$/m, /^V:(.+)$/m]
  const found = text.split(/\n\n+/).flatMap((stanza): [string, string][] => {
    const key = name.exec(stanza)?.[1]
    return key === undefined
      ? []
      : [[`${isDpkg ? 'deb' : 'apk'}/${key.trim()}`, version.exec(stanza)?.[1]?.trim() ?? '']]
  })
  return Object.fromEntries(found)
}

/** Options of a kernel's config by name; undefined for a text that is none. */
export const kernelOptions = (text: string): Record<string, string> | undefined => {
  const options: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const [, name, value] = /^(CONFIG_\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined) options[name] = value!
  }
  return Object.keys(options).length >= 10 ? options : undefined
}
