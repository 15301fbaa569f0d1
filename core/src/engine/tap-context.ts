// The contexts that taps get: every look at the world goes through the recorder.
import { secretVariables } from '../config/values.js'
import type { TapContext, TreeView } from '../context.js'
import { ZosError } from '../error.js'
import { runAction } from '../exec/run-action.js'
import { hostToolchain, rootToolchain } from '../exec/toolchain.js'
import { componentOf, type Ref } from '../model/artifact.js'
import { endingBlobs } from '../model/blobs.js'
import { canonical, digestOf } from '../model/canonical.js'
import { DeltaBuilder } from '../model/delta.js'
import type { FileEntry } from '../model/entry.js'
import type { Fetched } from '../model/source.js'
import type { FileTree } from '../model/tree.js'
import { rememberArtifact } from './memo.js'
import type { Recorder } from './recorder.js'
import { artifactOf, fetchedOf, initramfsText, settledOf } from './senses.js'
import type { Session, StoredFetched } from './session.js'
import { fileSlot, loadArtifact, loadTree, type StoredArtifact, type StoredTree, treeSlot } from './stored-artifact.js'
import { noteToolchain } from './toolchain-note.js'

/** What fetched things look like to their readers. */
export const loadFetched = async (session: Session, stored: StoredFetched): Promise<Fetched> => ({
  ...(stored.blob && { blob: stored.blob }),
  ...(stored.tree && { tree: await loadTree(session.store, stored.tree) }),
  ...(stored.facts !== undefined && { facts: stored.facts }),
})

/** The toolchain of the config, but for the steps that it is itself made of. */
const toolchainFor = ({ config: { toolchain }, plan }: Session, step: string): Ref | undefined => {
  if (!toolchain) return undefined
  const makes = (reference: Ref): boolean => {
    const id = componentOf(reference)
    return id === step || (plan?.components.get(id)?.needs ?? []).some(makes)
  }
  return makes(toolchain) ? undefined : toolchain
}

const toolchainTree = async (session: Session, reference: Ref): Promise<StoredTree> => {
  const id = componentOf(reference)
  return treeSlot(id, await artifactOf(session, id), reference.slot)
}

/** A tree as a tap sees it, with every look recorded. */
export const treeView = (session: Session, tree: FileTree, recorder: Recorder): TreeView => {
  const note = (kind: string, subject: string): void =>
    recorder.note(kind, subject, recorder.senses[kind]!(subject) as string)
  const read = async (path: string): Promise<Uint8Array> => {
    note('resolve', path)
    const target = tree.resolve(path)
    const entry = target === undefined ? undefined : tree.get(target)
    if (target !== undefined) note('entry', target)
    if (entry?.kind !== 'file')
      throw new ZosError('TREE_MISSING', `${path}: expected a file in the tree, found ${entry?.kind ?? 'nothing'}`)
    return session.store.blobs.read((entry as FileEntry).blob)
  }
  return {
    get: (path) => {
      note('entry', path)
      return tree.get(path)
    },
    resolve: (path) => {
      note('resolve', path)
      return tree.resolve(path)
    },
    list: (path) => {
      note('list', path)
      return tree.list(path)
    },
    glob: (pattern) => {
      note('match', pattern)
      return tree.glob(pattern)
    },
    subtree: (path) => {
      note('subtree', path)
      return tree.subtree(path)
    },
    all: () => {
      note('root', '/')
      return tree
    },
    read,
    text: async (path) => Buffer.from(await read(path)).toString('utf8'),
    delta: (options) => new DeltaBuilder(options),
  }
}

/** Files that taps read are kept up to this size, for `zos explain`. Bytes. */
const largestKept = 1 << 20

/**
 * The context of one run of a tap. `needs`: what it may ask for of components, where these are still being built; two
 * that waited for each other would wait for ever.
 */
export const tapContext = (
  session: Session,
  step: string,
  plugin: string,
  recorder: Recorder,
  needs?: readonly Ref[],
): TapContext => {
  const { settings, project, store, report } = session
  const artifactFor = (reference: Ref): Promise<StoredArtifact> => {
    const id = componentOf(reference)
    if (needs && !needs.some((need) => componentOf(need) === id))
      throw new ZosError('COMPONENT_UNDECLARED', `${step} did not say that it needs ${id}`, {
        hint: 'name it in the component’s `needs`',
      })
    return artifactOf(session, id)
  }
  const setting = <K extends keyof typeof settings>(name: K): (typeof settings)[K] => {
    recorder.note('setting', name, String(settings[name]))
    return settings[name]
  }
  /** Keeps what a read saw by its digest, so that a later change can be told line by line. */
  const keep = (content: Uint8Array | string): void => {
    if (content.length <= largestKept) recorder.seen.push(content)
  }
  const fileSeen = async (path: string, secret = false): Promise<Uint8Array> => {
    await recorder.see('file', path)
    const bytes = await project.bytes(path)
    if (!secret) keep(bytes)
    return bytes
  }
  const tree = async (reference: Ref): Promise<FileTree> => {
    const id = componentOf(reference)
    const artifact = await artifactFor(reference)
    await recorder.see('tree', `${id}:${reference.slot}`)
    return loadTree(store, treeSlot(id, artifact, reference.slot))
  }
  return {
    get arch() {
      return setting('arch')
    },
    get mode() {
      return setting('mode')
    },
    get name() {
      return setting('name')
    },
    get epoch() {
      return setting('epoch')
    },
    project: {
      bytes: (path) => fileSeen(path),
      text: async (path, { secret } = {}) => Buffer.from(await fileSeen(path, secret)).toString('utf8'),
      glob: async (pattern) => {
        await recorder.see('glob', pattern)
        const paths = await project.glob(pattern)
        keep(canonical(paths))
        return paths
      },
      folder: async (path) => {
        await recorder.see('folder', path)
        return project.folder(path)
      },
      env: (name) => {
        if (secretVariables(session.config.plugins.map(({ options }) => options)).has(name))
          throw new ZosError('SECRET_CLOSED', `${name} is a secret of this config`, {
            hint: 'secrets are opened in fetch and publish only',
          })
        recorder.note('env', name, project.env(name) ?? 'missing')
        return project.env(name)
      },
    },
    blobs: endingBlobs(store.blobs, session.signal),
    explain: (text) => {
      recorder.explanations.push(text)
    },
    detail: (...lines) => {
      recorder.details.push(...lines)
    },
    package: (one) => {
      recorder.packages.set(one.purl, one)
    },
    settled: (token) => {
      recorder.note('settled', token.name, digestOf(settledOf(session, token.name)))
      keep(canonical(settledOf(session, token.name)))
      return settledOf(session, token.name) as never
    },
    fetched: async (name) => {
      const id = `${plugin}/${name}`
      await recorder.see('source', id)
      return loadFetched(session, fetchedOf(session, id))
    },
    artifact: async (reference) => {
      const artifact = await artifactFor(reference)
      await recorder.see('artifact', componentOf(reference))
      return loadArtifact(store, artifact)
    },
    tree,
    fileOf: async (reference) => {
      const id = componentOf(reference)
      const artifact = await artifactFor(reference)
      await recorder.see('product', `${id}:${reference.slot}`)
      return fileSlot(id, artifact, reference.slot)
    },
    host: async (spec) => {
      const root = toolchainFor(session, step)
      if (root) {
        const tree = await loadTree(store, await toolchainTree(session, root))
        const made = await rootToolchain(session, spec, tree, componentOf(root))
        recorder.note('toolchain', JSON.stringify(spec), made.identity)
        return made
      }
      const toolchain = await hostToolchain(session, spec)
      recorder.note('tool', JSON.stringify(spec), toolchain.identity)
      noteToolchain(session, plugin, toolchain)
      return toolchain
    },
    run: (action) => {
      // What the bare host made is not taken for what a sandbox makes.
      recorder.note('executor', '', session.flags.executor)
      return runAction(session, step, action, (key) => recorder.actions.set(key, { name: action.name, key }))
    },
    remember: (name, input, compute) => rememberArtifact(session, plugin, name, input, compute),
    packedSize: async (...contents) => {
      recorder.note('setting', 'initramfs', initramfsText(session))
      return (await import('./packed-size.js')).packedSize(session, contents)
    },
    progress: (text, done, total) => report.progress(step, text, done, total),
    warn: (code, message, hint) => report.warn({ code, message, plugin, ...(hint !== undefined && { hint }) }),
  }
}
