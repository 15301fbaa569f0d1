import type { Artifact } from '../model/artifact.js'
import { digestOf, type Json } from '../model/canonical.js'
import { onceAmongBuilds } from './once.js'
import type { FetchSession } from './session.js'
import { isWhole, loadArtifact, type StoredArtifact, storeArtifact } from './stored-artifact.js'

const running = new WeakMap<FetchSession, Map<string, Promise<Artifact>>>()

/** The outcome of a pure function of `input`, computed once: in this build by one caller, in later ones by nobody. */
export const rememberArtifact = (
  session: FetchSession,
  plugin: string,
  name: string,
  input: Json,
  compute: () => Promise<Artifact>,
): Promise<Artifact> => {
  const { store } = session
  // A computation may run actions; what the bare host made is not taken for what a sandbox makes.
  const unsandboxed = session.flags.executor === 'host' ? true : undefined
  const key = digestOf({ plugin, name, input, unsandboxed })
  const inFlight = running.get(session) ?? new Map<string, Promise<Artifact>>()
  running.set(session, inFlight)
  const known = inFlight.get(key)
  if (known) return known
  const make = async (): Promise<Artifact> => {
    const stored = session.flags.forget ? undefined : (store.result('memo', key) as StoredArtifact | undefined)
    if (stored && (!store.distrust || (await isWhole(store, stored)))) {
      if (session.verification.isOn)
        await session.verification.compare('function', `${plugin}/${name}`, key, stored as unknown as Json, async () =>
          storeArtifact(store, await compute()).then((made) => made as unknown as Json),
        )
      return loadArtifact(store, stored)
    }
    const recall = async (): Promise<StoredArtifact | undefined> =>
      session.flags.forget || store.distrust ? undefined : (store.result('memo', key) as StoredArtifact | undefined)
    const made = await onceAmongBuilds(store, session.signal, `memo ${key}`, recall, async () => {
      session.signal.throwIfAborted()
      const started = performance.now()
      const fresh = await storeArtifact(store, await compute())
      session.report.span?.(`${plugin} ${name}`, 'compute', started)
      await store.setResult('memo', key, fresh as unknown as Json)
      return fresh
    })
    return loadArtifact(store, made)
  }
  const promise = make().finally(() => inFlight.delete(key))
  inFlight.set(key, promise)
  return promise
}
