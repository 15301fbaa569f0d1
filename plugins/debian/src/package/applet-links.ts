import type { DeltaBuilder, TreeView } from '@zos/core'
import type { RootFacts } from './root-tree.js'

const searched = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin']

/** They take part in how a machine starts: whoever wants busybox for that says so. */
const never = new Set(['busybox', 'init', 'linuxrc'])

/** Links to a busybox for each of its programs that nothing in the finished tree brings. */
export const appletLinks = (tree: Pick<TreeView, 'list' | 'delta'>, applets: RootFacts['applets']): DeltaBuilder => {
  const delta = tree.delta()
  if (!applets) return delta
  const { busybox, names } = applets
  const there = new Set(searched.flatMap((folder) => tree.list(folder)))
  const target = busybox.slice(busybox.lastIndexOf('/') + 1)
  for (const name of names) if (!there.has(name) && !never.has(name)) delta.symlink(`/usr/bin/${name}`, target)
  return delta
}
