// A build that runs nothing: the phases as in build.ts, each step judged by a planner.
import { Planner } from './engine/planner.js'
import type { Session } from './engine/session.js'
import { FileTree } from './model/tree.js'
import { build as buildComponents } from './phases/build.js'
import { check } from './phases/check.js'
import { checkPlan } from './phases/check-plan.js'
import { fetch } from './phases/fetch.js'
import { growTree } from './phases/grow-tree.js'
import { pack } from './phases/pack.js'
import { resolve } from './phases/resolve.js'

export interface DryRun {
  readonly planner: Planner
  /** The root file system, as far as the store knows it. */
  readonly tree: FileTree
}

/** Judges every step of a build of these outputs (all where none is named). Nothing runs, nothing is downloaded or written. */
export const dryRun = async (session: Session, outputs: readonly string[] = []): Promise<DryRun> => {
  const planner = new Planner()
  session.planner = planner
  await resolve(session)
  // What hangs on an answer that the lock does not have is not known yet.
  if (planner.isPartial) return { planner, tree: FileTree.empty }
  checkPlan(session, outputs)
  await fetch(session)
  await buildComponents(session)
  const assembled = await growTree(session, 'assemble', FileTree.empty)
  const tree = await growTree(session, 'optimize', assembled)
  await check(session, tree)
  await pack(session, tree, outputs)
  return { planner, tree }
}
