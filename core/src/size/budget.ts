// size.budget: what an output may have, and who made it too large.
import { bytesOf } from '../config/bytes.js'
import { keptBuilds } from '../diff/keep-build.js'
import type { Session } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import type { Output } from '../model/output.js'
import { FileTree } from '../model/tree.js'
import { findOutput } from '../phases/check-plan.js'
import { sizeText } from '../report/words.js'
import { compared, type Share, sharesBy } from './breakdown.js'
import { originIn, rememberedShares } from './sized-build.js'

/** Culprits that an error names. */
const named = 5

/** The last build of this config whose output kept the budget, with the packages that its archive had. */
const withinBudget = async (session: Session, name: string, budget: number): Promise<Share[] | undefined> => {
  const { store, config } = session
  for (const build of keptBuilds(store, `${config.name}/${config.arch}`)) {
    const output = build.manifest.outputs.find((one) => one.name === name)
    const archive = build.manifest.outputs.find(({ format }) => format === 'initramfs')
    if (!output || output.size > budget || !archive || !store.blobs.has(archive) || !store.blobs.has(build.tree.blob))
      continue
    const tree = FileTree.decode(await store.blobs.read(build.tree.blob))
    const shares = await rememberedShares(store, archive.sha256, () => store.blobs.path(archive), archive.name)
    return sharesBy('package', shares, originIn(tree))
  }
  return undefined
}

const culprits = async (session: Session, tree: FileTree, output: Output, archive: Output, budget: number) => {
  const { store } = session
  const shares = await rememberedShares(store, archive.blob.sha256, () => store.blobs.path(archive.blob), archive.name)
  const now = sharesBy('package', shares, originIn(tree))
  const before = await withinBudget(session, output.name, budget)
  if (!before)
    return ['the largest in it:', ...now.slice(0, named).map(({ name, packed }) => `  ${name}  ${sizeText(packed)}`)]
  const grown = compared(now, before).filter(({ packed, was = 0 }) => packed > was)
  return [
    'grown since the last build within the budget:',
    ...grown
      .slice(0, named)
      .map(({ name, packed, was = 0 }) => `  ${name}  +${sizeText(packed - was)}${was === 0 ? ', new' : ''}`),
  ]
}

/** Fails with `SIZE_BUDGET` when an output has more bytes than the config allows. */
export const checkBudget = async (session: Session, tree: FileTree, outputs: readonly Output[]): Promise<void> => {
  const byName = new Map(outputs.map((output) => [output.name, output]))
  const over: { output: Output; budget: number }[] = []
  for (const [name, text] of Object.entries(session.config.size.budget ?? {})) {
    const [full] = findOutput(session.plan!.outputs, name)!
    const output = byName.get(full)
    const budget = bytesOf(text)!
    if (output && output.blob.size > budget) over.push({ output, budget })
  }
  if (over.length === 0) return
  const archive = outputs.find(({ format }) => format === 'initramfs')
  const lines: string[] = []
  for (const { output, budget } of over) {
    const { name, blob } = output
    lines.push(
      `${name} has ${sizeText(blob.size)}: ${sizeText(blob.size - budget)} over its budget of ${sizeText(budget)}`,
    )
    if (archive) lines.push(...(await culprits(session, tree, output, archive, budget)))
  }
  throw new ZosError('SIZE_BUDGET', lines.join('\n  '), {
    hint: 'take something out, or raise size.budget; the output folder has the build before: zos size',
    exit: ExitCode.build,
    data: { over: over.map(({ output, budget }) => ({ output: output.name, size: output.blob.size, budget })) },
  })
}
