// build: the graph of components, each as soon as what it needs is there.

import { baseSenses } from '../engine/senses.js'
import type { Session } from '../engine/session.js'
import { isWhole, type StoredArtifact, storeArtifact } from '../engine/stored-artifact.js'
import { tapContext } from '../engine/tap-context.js'
import { given, remembered } from '../engine/tap-memory.js'
import { ExitCode, isZosError, ZosError } from '../error.js'
import type { Tap } from '../hooks.js'
import { componentOf } from '../model/artifact.js'
import type { Json } from '../model/canonical.js'
import type { Component } from '../model/component.js'

/** Components so that each comes after what it needs; a cycle is shown as a path. */
export const ordered = (components: ReadonlyMap<string, Component>): Component[] => {
  const done = new Map<string, Component>()
  const visit = (id: string, path: readonly string[], by: string): void => {
    if (done.has(id)) return
    if (path.includes(id))
      throw new ZosError(
        'COMPONENT_CYCLE',
        `components need each other: ${[...path.slice(path.indexOf(id)), id].join(' → ')}`,
      )
    const component = components.get(id)
    if (!component)
      throw new ZosError('COMPONENT_UNKNOWN', `${by} needs ${id}, which no plugin declares`, {
        hint: `components of this build: ${[...components.keys()].sort().join(', ') || 'none'}`,
        exit: ExitCode.config,
      })
    for (const need of component.needs ?? []) visit(componentOf(need), [...path, id], id)
    done.set(id, component)
  }
  for (const id of [...components.keys()].sort()) visit(id, [], 'the config')
  return [...done.values()]
}

const buildOne = async (session: Session, component: Component): Promise<StoredArtifact> => {
  await Promise.all((component.needs ?? []).map((need) => session.artifacts.get(componentOf(need))))
  const { id, plugin, kind } = component
  const result = await session.tapables.build.for(kind).promise(async (tap: Tap<'build'>) =>
    remembered(session, {
      id,
      phase: 'build',
      tap,
      input: component as unknown as Json,
      senses: baseSenses(session),
      run: async (recorder) =>
        storeArtifact(
          session.store,
          given(
            await tap.run(component, tapContext(session, id, plugin, recorder, component.needs ?? [])),
            'an artifact: return { trees, files, facts }',
          ),
        ),
      encode: async (stored: StoredArtifact) => stored as unknown as Json,
      decode: async (stored) => stored as unknown as StoredArtifact,
      isWhole: (stored) => isWhole(session.store, stored as unknown as StoredArtifact),
      unknown: () => ({ trees: {}, files: {}, facts: {} }),
    }),
  )
  return result as StoredArtifact
}

export const build = async (session: Session): Promise<void> => {
  for (const component of ordered(session.plan!.components)) {
    const artifact = buildOne(session, component)
    // A failure is told once, by the wait below; those that need it fail with it.
    artifact.catch(() => undefined)
    session.artifacts.set(component.id, artifact)
  }
  try {
    await Promise.all(session.artifacts.values())
  } catch (error) {
    // The build goes on from the start: nothing of this run may be under way then. Else the session ends the others.
    if (isZosError(error) && error.code === 'BLOB_MISSING') await Promise.allSettled(session.artifacts.values())
    throw error
  }
}
