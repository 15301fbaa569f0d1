// One tree of a config, without the rest of it: only its component, and what that needs, is fetched and built.
import type { Session } from '../engine/session.js'
import { loadTree, treeSlot } from '../engine/stored-artifact.js'
import { componentOf, type Ref } from '../model/artifact.js'
import type { FileTree } from '../model/tree.js'
import { build } from './build.js'
import { fetch } from './fetch.js'
import { resolve } from './resolve.js'

export const buildTree = async (session: Session, reference: Ref, onPinned: () => void): Promise<FileTree> => {
  const plan = await resolve(session)
  const components = new Set<string>()
  const visit = (one: Ref): void => {
    const id = componentOf(one)
    if (components.has(id)) return
    components.add(id)
    for (const need of plan.components.get(id)?.needs ?? []) visit(need)
  }
  visit(reference)
  const sources = new Set(
    [...components].flatMap((id) => {
      const component = plan.components.get(id)
      return (component?.sources ?? []).map((name) => `${component!.plugin}/${name}`)
    }),
  )
  for (const id of [...plan.components.keys()]) if (!components.has(id)) plan.components.delete(id)
  for (const id of [...plan.sources.keys()]) if (!sources.has(id)) plan.sources.delete(id)
  await fetch(session)
  onPinned()
  await build(session)
  const id = componentOf(reference)
  return loadTree(session.store, treeSlot(id, await session.artifacts.get(id)!, reference.slot))
}
