// pack: the outputs, each as soon as those that it is made of are there.
import type { PackContext } from '../context.js'
import { baseSenses, treeSenses } from '../engine/senses.js'
import type { Session } from '../engine/session.js'
import { tapContext, treeView } from '../engine/tap-context.js'
import { given, placeOf, remembered } from '../engine/tap-memory.js'
import { ZosError } from '../error.js'
import { checkExecutor } from '../exec/executor.js'
import { type Json, normalized } from '../model/canonical.js'
import type { Output, Packed } from '../model/output.js'
import type { FileTree } from '../model/tree.js'
import { checkOutputName, findOutput } from './check-plan.js'

/** Makes the outputs that are wanted (all where none is named), with those that they are made of. */
export const pack = async (session: Session, tree: FileTree, wanted: readonly string[]): Promise<Output[]> => {
  const specs = session.plan!.outputs
  const made = new Map<string, Promise<Output>>()

  // The plan has been judged: every name is known, and none needs itself.
  const output = (name: string): Promise<Output> => {
    const [full] = findOutput(specs, name)!
    const promise = made.get(full) ?? packOne(full)
    made.set(full, promise)
    return promise
  }

  const packOne = async (name: string): Promise<Output> => {
    const spec = specs.get(name)!
    const from = new Map<string, Output>()
    for (const one of spec.from ?? []) from.set(findOutput(specs, one)![0], await output(one))
    const senses = {
      ...baseSenses(session),
      ...treeSenses(tree),
      output: (inner: string) => from.get(inner)?.blob.sha256 ?? 'missing',
    }
    const packed = await session.tapables.pack.for(spec.format).promise(async (tap) =>
      remembered(session, {
        id: name,
        phase: 'pack',
        tap,
        input: spec as unknown as Json,
        senses,
        run: async (recorder) => {
          // Members of the tap's context are getters that record; they must stay getters.
          const ctx = Object.create(tapContext(session, name, spec.plugin, recorder)) as PackContext
          Object.defineProperties(ctx, {
            root: { value: treeView(session, tree, recorder) },
            output: {
              value: async (inner: string): Promise<Packed> => {
                const full = findOutput(specs, inner)?.[0] ?? inner
                const other = from.get(full)
                if (!other)
                  throw new ZosError('OUTPUT_UNDECLARED', `${name} did not say that it is made of ${inner}`, {
                    hint: 'name it in `from`',
                  })
                recorder.note('output', full, other.blob.sha256)
                return other
              },
            },
          })
          return normalized(given(await tap.run(spec, ctx), 'a file: return { blob }'))
        },
        encode: async (result) => result as unknown as Json,
        decode: async (stored) => stored as unknown as Packed,
        isWhole: async (stored) => session.store.blobs.has((stored as unknown as Packed).blob),
        unknown: (): Packed => ({ blob: { sha256: '0'.repeat(64), size: 0 } }),
      }),
    )
    return { ...(packed as Packed), name, plugin: spec.plugin, format: spec.format }
  }

  const names = new Set(
    wanted.length > 0 ? wanted.map((name) => findOutput(specs, name)![0]) : [...specs.keys()].sort(),
  )
  expectCommands(session, names)
  // All of them end before the first failure is told: none goes on unseen.
  const results = await Promise.allSettled([...names].map(output))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  const outputs = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  checkAliases(outputs, specs)
  return outputs
}

/**
 * Where something changed, outputs that took a command last time take one again: what starts it is loaded while those
 * are made that it reads.
 */
const expectCommands = ({ config, env, flags, planner, steps, store }: Session, names: Iterable<string>): void => {
  if (planner || !steps.some(({ state }) => state === 'ran')) return
  if (![...names].some((name) => store.lastTapRecord(placeOf(config, 'pack', name))?.actions.length)) return
  // Whoever runs the command is told if it cannot be.
  checkExecutor(flags.isExecutorAsked ? flags.executor : 'bubblewrap', env).catch(() => {})
}

/** Every file of the output folder has one maker. */
const checkAliases = (outputs: readonly Output[], specs: ReadonlyMap<string, unknown>): void => {
  const taken = new Map([...specs.keys()].map((name) => [name, name]))
  for (const { name, plugin, aliases = [] } of outputs)
    for (const alias of aliases) {
      checkOutputName(alias, plugin)
      const other = taken.get(alias)
      if (other !== undefined)
        throw new ZosError('OUTPUT_TWICE', `both ${other} and ${name} give the file ${alias}`, { plugin })
      taken.set(alias, name)
    }
}
