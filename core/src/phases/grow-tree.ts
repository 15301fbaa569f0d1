// assemble and optimize: each tap gives a delta, which is applied to the tree that the next one gets.

import { baseSenses, treeSenses } from '../engine/senses.js'
import type { Session } from '../engine/session.js'
import { tapContext, treeView } from '../engine/tap-context.js'
import { given, remembered } from '../engine/tap-memory.js'
import { ZosError } from '../error.js'
import type { Json } from '../model/canonical.js'
import { type Delta, DeltaBuilder } from '../model/delta.js'
import { decodeDelta, encodeDelta } from '../model/delta-codec.js'
import type { Blob } from '../model/entry.js'
import type { FileTree } from '../model/tree.js'

const finished = (delta: Delta | DeltaBuilder | undefined): Delta => {
  const one = given(delta, 'a delta: return tree.delta()…')
  const built = one instanceof DeltaBuilder ? one.build() : one
  if (Array.isArray(built.ops) && built.contents instanceof Map) return built
  throw new ZosError('TAP_DELTA', 'the tap gave something else than a delta', {
    hint: 'return the delta: return tree.delta()…',
  })
}

const isDeltaWhole = (session: Session, delta: Delta): boolean =>
  delta.ops.every((op) => {
    const { blobs } = session.store
    if (op.op === 'put') return op.entry.kind !== 'file' || blobs.has(op.entry.blob)
    if (op.op === 'replace') return blobs.has(op.blob)
    if (op.op !== 'tree') return true
    for (const record of op.tree.records()) if (record.kind === 'file' && !blobs.has(record.blob)) return false
    return true
  })

/** Runs the taps of one hook over a tree. */
export const growTree = async (session: Session, hook: 'assemble' | 'optimize', start: FileTree): Promise<FileTree> => {
  const { store } = session
  const decode = async (stored: Json): Promise<Delta> => decodeDelta(await store.blobs.read(stored as unknown as Blob))
  return session.tapables[hook].promise(start, async (tap, tree: FileTree) => {
    const id = `${tap.plugin}/${tap.name}`
    const delta = await remembered(session, {
      id,
      phase: hook,
      tap,
      input: null,
      senses: { ...baseSenses(session), ...treeSenses(tree) },
      run: async (recorder) => {
        const run = await tap.run(treeView(session, tree, recorder), tapContext(session, id, tap.plugin, recorder))
        const built = finished(run)
        for (const bytes of built.contents.values()) await store.blobs.put(bytes)
        return built
      },
      encode: async (built: Delta) => (await store.blobs.put(encodeDelta(built))) as unknown as Json,
      decode,
      isWhole: async (stored) =>
        store.blobs.has(stored as unknown as Blob) && isDeltaWhole(session, await decode(stored)),
      unknown: () => new DeltaBuilder().build(),
    })
    try {
      const grown = tree.apply(delta, { plugin: tap.plugin, keepsOwners: hook === 'optimize' })
      session.planner?.grown(id, hook, grown)
      return grown
    } catch (cause) {
      // What an earlier run gave may not fit any more; a plan goes on without it.
      if (session.planner) return tree
      throw cause instanceof ZosError ? cause.at({ plugin: tap.plugin, hook, subject: id }) : cause
    }
  })
}
