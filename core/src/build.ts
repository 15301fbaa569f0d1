// One page: what a build does, phase by phase. Each phase takes the last value and gives the next.
import type { Phase, ResolvedPlan, Session } from './engine/session.js'
import { isZosError } from './error.js'
import { releaseHeap } from './io/heap.js'
import { readManifest, writeOutputs } from './io/output-folder.js'
import type { Manifest, ManifestOutput } from './model/manifest.js'
import type { Output, Receipt } from './model/output.js'
import { FileTree } from './model/tree.js'
import { billOfMaterials } from './phases/bill.js'
import { build as buildComponents } from './phases/build.js'
import { check } from './phases/check.js'
import { checkPlan } from './phases/check-plan.js'
import { fetch } from './phases/fetch.js'
import { growTree } from './phases/grow-tree.js'
import { pack } from './phases/pack.js'
import { publish } from './phases/publish.js'
import { resolve } from './phases/resolve.js'

/** Which outputs to make (all where none is named), and whether to publish them. */
export interface BuildRequest {
  readonly outputs: readonly string[]
  /** `asked`: every target; `switched`: those that a variable switches on. */
  readonly publish: 'asked' | 'switched' | 'no'
  /** Called when the lock holds every pin: what fails later does not ask for them again. */
  onPinned(): void
}

export interface BuildResult {
  readonly manifest: Manifest
  readonly tree: FileTree
  readonly receipts: readonly Receipt[]
}

/** Runs one phase, and says in a few words what came of it. */
const phase = async <T>(
  session: Session,
  name: Phase,
  run: () => Promise<T>,
  words: (result: T) => string,
): Promise<T> => {
  const start = performance.now()
  const result = await run()
  session.signal.throwIfAborted()
  session.report.phase(name, words(result), performance.now() - start)
  releaseHeap()
  return result
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`

const once = async (session: Session, request: BuildRequest): Promise<BuildResult> => {
  const steps = (name: Phase): string => {
    const own = session.steps.filter((step) => step.phase === name)
    return `${count(own.length, 'step')}, ${own.filter(({ state }) => state === 'ran').length} run`
  }
  const files = (tree: FileTree): string => count(tree.count, 'file')

  await phase(session, 'resolve', () => resolve(session), planWords)
  checkPlan(session, request.outputs)
  await phase(
    session,
    'fetch',
    () => fetch(session),
    (fresh) => `${count(session.fetched.size, 'input')}, ${fresh} new`,
  )
  request.onPinned()
  await phase(
    session,
    'build',
    () => buildComponents(session),
    () => steps('build'),
  )
  const assembled = await phase(
    session,
    'assemble',
    () => growTree(session, 'assemble', FileTree.empty),
    (tree) => `${steps('assemble')}: ${files(tree)}`,
  )
  const tree = await phase(
    session,
    'optimize',
    () => growTree(session, 'optimize', assembled),
    (after) => `${steps('optimize')}: ${files(after)}`,
  )
  await phase(
    session,
    'check',
    () => check(session, tree),
    () => `${steps('check')}: all well`,
  )
  const outputs = await phase(
    session,
    'pack',
    () => pack(session, tree, request.outputs),
    () => steps('pack'),
  )
  if (Object.keys(session.config.size.budget ?? {}).length > 0)
    await (await import('./size/budget.js')).checkBudget(session, tree, outputs)
  const { manifest, made } = await manifestOf(session, tree, outputs, request)
  await writeOutputs(session.config.outputFolder, manifest, session.store.blobs)
  const receipts =
    request.publish !== 'no'
      ? await phase(
          session,
          'publish',
          () => publish(session, made, request.publish === 'asked'),
          (sent) => count(sent.length, 'receipt'),
        )
      : []
  return { manifest, tree, receipts }
}

const planWords = ({ sources, components, outputs }: ResolvedPlan): string =>
  `${count(sources.size, 'source')}, ${count(components.size, 'component')}, ${count(outputs.size, 'output')}`

/** Runs of one build: each finds at least one blob missing that the one before did not. */
const mostRuns = 8

/** Runs a build. Content that turns out to be missing from the store makes it run once more, trusting nothing unseen. */
export const runBuild = async (session: Session, request: BuildRequest): Promise<BuildResult> => {
  for (let run = 1; ; run++) {
    try {
      return await once(session, request)
    } catch (error) {
      if (!isZosError(error) || error.code !== 'BLOB_MISSING' || run === mostRuns) throw error
      session.store.distrust = true
      session.store.blobs.distrust()
      session.project.forget()
      session.fetched.clear()
      session.artifacts.clear()
      session.packages.clear()
      session.actions.clear()
      session.toolchains.clear()
      session.steps.length = 0
      session.report.warn({ code: 'STORE_INCOMPLETE', message: `${error.message}; what gave it runs again` })
    }
  }
}

/** The manifest of what was made, what stays of an earlier build, and the bill of materials of both; and what was made. */
const manifestOf = async (
  session: Session,
  tree: FileTree,
  outputs: readonly Output[],
  request: BuildRequest,
): Promise<{ manifest: Manifest; made: readonly Output[] }> => {
  const { config, settings, lock, plan, actions, toolchains } = session
  const before = readManifest(config.outputFolder)
  const names = new Set(outputs.map(({ name }) => name))
  // Outputs that this build was not asked for stay, as far as they are of the same lock.
  const isKept = (name: string): boolean => request.outputs.length > 0 && !names.has(name) && plan!.outputs.has(name)
  const kept = before?.lock === lock.digest ? before.outputs.filter(({ name }) => isKept(name)) : []
  const files = [...outputs, ...kept.map(({ name, sha256, size }) => ({ name, blob: { sha256, size } }))]
  const made = [...outputs, await billOfMaterials(session, tree, files)]
  const byText = (a: string, b: string): number => (a < b ? -1 : 1)
  const manifest: Manifest = {
    version: 1,
    name: config.name,
    arch: config.arch,
    mode: config.mode,
    epoch: settings.epoch,
    lock: lock.digest,
    toolchains: Object.fromEntries([...toolchains].sort(([a], [b]) => byText(a, b))),
    actions: [...actions.values()]
      .map(({ step, name, key }) => ({ step, name, digest: key }))
      .sort((a, b) => byText(`${a.step} ${a.name} ${a.digest}`, `${b.step} ${b.name} ${b.digest}`)),
    outputs: [...made.map(listed), ...kept].sort((a, b) => byText(a.name, b.name)),
  }
  return { manifest, made }
}

const listed = ({ name, plugin, format, blob, aliases = [], note, facts }: Output): ManifestOutput => ({
  name,
  sha256: blob.sha256,
  size: blob.size,
  plugin,
  format,
  aliases,
  ...(note !== undefined && { note }),
  ...(facts !== undefined && { facts }),
})
