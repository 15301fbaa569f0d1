import type { DeltaBuilder, TapContext, TreeView } from '@zos/core'
import type { SystemOptions } from './options.js'

/** Values of os-release(5) by name; quotes and backslashes are taken off. Lines that are none are passed over. */
export const parseOsRelease = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value = ''] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? []
      if (name === undefined) return []
      const quoted = /^(["'])(.*)\1$/.exec(value)
      return [[name, (quoted?.[2] ?? value).replace(/\\(.)/g, '$1')]]
    }),
  )

const hostnameOf = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63) || 'localhost'

/** What os-release of the image says: our name, and the base that it is made of. */
export const osRelease = (title: string, base: Readonly<Record<string, string>>): string => {
  const { ID: like, VERSION_ID: version, PRETTY_NAME: pretty } = base
  const lines = [
    ['NAME', title],
    ['ID', hostnameOf(title)],
    ['ID_LIKE', like],
    ['VERSION_ID', version],
    ['PRETTY_NAME', pretty === undefined ? title : `${title} (${pretty})`],
  ]
  return lines
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value.replace(/["\\$`]/g, '\\$&')}"\n`]))
    .join('')
}

/** Puts hostname, issue and os-release; the base's own os-release below `/usr/lib` stays as it is. */
export const brand = async (tree: TreeView, ctx: TapContext, options: SystemOptions): Promise<DeltaBuilder> => {
  const delta = tree.delta({ over: 'any' })
  const { branding = true, title = ctx.name, hostname = hostnameOf(title) } = options
  if (!branding) return delta
  const base = tree.resolve('/etc/os-release') === undefined ? {} : parseOsRelease(await tree.text('/etc/os-release'))
  return delta
    .file('/etc/hostname', `${hostname}\n`)
    .file('/etc/issue', `${title} \\r (\\n) \\l\n\n`)
    .file('/etc/os-release', osRelease(title, base))
}
