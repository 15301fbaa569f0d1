import type { DeltaBuilder, TreeView } from '@zos/core'

/** Programs inside a binary: the binary's path, and the paths under which it may be called. */
export interface Applets {
  readonly binary: string
  readonly paths: readonly string[]
}

/** Links to a busybox for each of its programs that nothing in the finished tree brings. */
export const appletLinks = (tree: Pick<TreeView, 'get' | 'delta'>, applets: readonly Applets[]): DeltaBuilder => {
  const delta = tree.delta()
  const put = new Set<string>()
  for (const { binary, paths } of applets)
    for (const path of paths) {
      if (put.has(path) || tree.get(path)) continue
      delta.symlink(path, binary)
      put.add(path)
    }
  return delta
}
