// publish: sends finished outputs to the config's targets; nothing is remembered, the target's real state counts.
import { isTargetOn, offBy } from '../config/upload.js'
import { openSecret } from '../config/values.js'
import type { ProjectReader, PublishContext } from '../context.js'
import { artifactOf } from '../engine/senses.js'
import type { Session } from '../engine/session.js'
import { loadArtifact, loadTree, treeSlot } from '../engine/stored-artifact.js'
import { given, placed } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import { openObjects } from '../io/objects.js'
import { componentOf } from '../model/artifact.js'
import type { ObjectStore } from '../model/object-store.js'
import type { Output, Receipt } from '../model/output.js'

/** Files as every tap reads them. What the environment says here is no part of the build, and may be a key: no note of it. */
const readerOf = ({ project, env }: Session): ProjectReader => ({
  bytes: (path) => project.bytes(path),
  text: (path) => project.text(path),
  glob: (pattern) => project.glob(pattern),
  folder: (path) => project.folder(path),
  env: (name) => env[name],
})

/**
 * Runs the publish taps in order: `pre` sends what others point at (blocks) and verifies it, then come the others, and
 * `post` what makes it all visible (kernels, the index). The first that fails ends it, so nothing visible points at less.
 */
export const publish = async (
  session: Session,
  outputs: readonly Output[],
  asked: boolean,
): Promise<readonly Receipt[]> => {
  const { settings, store, report, signal } = session
  const receipts: Receipt[] = []
  const opened: ObjectStore[] = []
  const objects: PublishContext['objects'] = async (location) => {
    const one = await openObjects(session.config.root, location, signal)
    opened.push(one)
    return one
  }
  try {
    await session.tapables.publish.promise(async (tap) => {
      const targets = session.config.publish
        .filter(({ plugin, component }) => plugin === tap.plugin && isTargetOn(component, asked, session.env))
        .map(({ component, slot, params }) => ({ component, slot, params: params ?? null }))
      const ctx: PublishContext = {
        ...settings,
        targets,
        outputs,
        blobs: store.blobs,
        project: readerOf(session),
        now: Math.floor(session.now() / 1000),
        signal,
        secret: (value) => openSecret(value, session.env),
        artifact: async (reference) => loadArtifact(store, await artifactOf(session, componentOf(reference))),
        tree: async (reference) => {
          const id = componentOf(reference)
          return loadTree(store, treeSlot(id, await artifactOf(session, id), reference.slot))
        },
        objects,
        progress: (text, done, total) => report.progress(`${tap.plugin}/${tap.name}`, text, done, total),
        warn: (code, message, hint) =>
          report.warn({ code, message, plugin: tap.plugin, ...(hint !== undefined && { hint }) }),
      }
      try {
        receipts.push(...given(await tap.run(ctx), 'a list of receipts'))
      } catch (cause) {
        throw placed(cause, tap, tap.name)
      }
    })
  } finally {
    for (const one of opened) one.close()
  }
  if (!asked || receipts.length > 0) return receipts
  const components = session.config.publish.map(({ component }) => component)
  if (components.length === 0) throw nowhere()
  if (!components.some((component) => isTargetOn(component, asked, session.env))) {
    const message = `nothing was published: every target is switched off by ${offBy(components, session.env).join(', ')}`
    report.warn({ code: 'PUBLISH_OFF', message, plugin: 'core' })
  }
  return receipts
}

const nowhere = (): ZosError =>
  new ZosError('PUBLISH_NONE', 'nothing was published: the config names no target, its list publish is empty', {
    hint: ['name one, such as store.kernels() of s3({ … }) or folder({ … })', 'more: docs/publishing.md'],
    exit: ExitCode.config,
  })
