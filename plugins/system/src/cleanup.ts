import type { DeltaBuilder, TapContext, TreeRecord, TreeView } from '@zos/core'
import type { SystemOptions } from './options.js'

/** What a running machine does not need, by reason. A folder stands for all that is in it. */
export const rules: Readonly<Record<string, readonly string[]>> = {
  documentation: ['/usr/share/{doc,man,info,gtk-doc,help,doc-base,lintian,bug}', '/usr/man', '/usr/local/share/man'],
  translations: ['/usr/share/{locale,i18n}', '/usr/lib/locale'],
  headers: ['/usr/include', '/usr/share/aclocal', '/usr/{lib,share}/{pkgconfig,cmake}', '/usr/lib/*/{pkgconfig,cmake}'],
  'static libraries': ['/{lib,usr/lib,usr/local/lib}/**/*.{a,la}'],
  completions: ['/usr/share/{bash-completion,zsh/{site-functions,vendor-completions},fish/*completions*}'],
  caches: ['/var/cache/{apk,apt,man,ldconfig,debconf}/*', '/etc/apk/cache/*', '/tmp/*', '/var/tmp/*'],
}

/** Licences stay, whatever else goes: they ask for that. */
const licences = /^\/usr\/share\/doc\/[^/]+\/(copyright|COPYING|LICEN[CS]E|NOTICE)[^/]*$/

/** Removes what the rules name and the options do not keep; a folder that only held such files goes with them. */
export const cleanUp = async (tree: TreeView, ctx: TapContext, { cleanup }: SystemOptions): Promise<DeltaBuilder> => {
  const delta = tree.delta()
  if (cleanup === false) return delta
  const kept = new Set((cleanup?.keep ?? []).flatMap((pattern) => withContent(tree, pattern).map(({ path }) => path)))
  const stays = ({ path, kind }: TreeRecord): boolean => kept.has(path) || (kind !== 'directory' && licences.test(path))
  const gone = new Map<string, number>()
  for (const pattern of [...Object.values(rules).flat(), ...(cleanup?.remove ?? [])]) {
    const records = withContent(tree, pattern).filter(({ path }) => !gone.has(path))
    const held = records.filter(stays).map(({ path }) => path)
    for (const record of records) {
      const isNeeded = stays(record) || (record.kind === 'directory' && held.some((path) => isBelow(path, record.path)))
      if (!isNeeded) gone.set(record.path, record.kind === 'file' ? record.blob.size : 0)
    }
  }
  // What lies in a folder that goes needs no removal of its own.
  for (const path of gone.keys()) if (!gone.has(path.slice(0, path.lastIndexOf('/')))) delta.remove(path)
  const bytes = [...gone.values()].reduce((sum, size) => sum + size, 0)
  if (gone.size > 0) ctx.explain(`${gone.size} files and folders, ${(bytes / 1e6).toFixed(1)} MB`)
  return delta
}

const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`)

/** What a pattern names, and all that is in the folders among it. */
const withContent = (tree: TreeView, pattern: string): TreeRecord[] =>
  tree
    .glob(pattern)
    .flatMap((record) => (record.kind === 'directory' ? [record, ...tree.glob(`${record.path}/**`)] : [record]))
