// pack: the outputs, each as soon as those that it is made of are there.
import type { PackContext } from '../context.js'
import type { Session } from '../engine/session.js'
import { baseSenses, tapContext, treeSenses, treeView } from '../engine/tap-context.js'
import { remembered } from '../engine/tap-memory.js'
import { ExitCode, ZosError } from '../error.js'
import type { Json } from '../model/canonical.js'
import type { Output, Packed } from '../model/output.js'
import type { FileTree } from '../model/tree.js'

/** `initramfs` stands for `initramfs.cpio.xz`: an output may be named without what follows its first dot. */
const find = <T>(outputs: ReadonlyMap<string, T>, name: string): [string, T] | undefined =>
  [...outputs].find(([full]) => full === name) ?? [...outputs].find(([full]) => full.split('.')[0] === name)

/** Makes the outputs that are wanted (all where none is named), with those that they are made of. */
export const pack = async (session: Session, tree: FileTree, wanted: readonly string[]): Promise<Output[]> => {
  const specs = session.plan!.outputs
  const made = new Map<string, Promise<Output>>()

  const output = (name: string, by: string, path: readonly string[] = []): Promise<Output> => {
    const found = find(specs, name)
    if (!found)
      throw new ZosError('OUTPUT_UNKNOWN', `${by} asks for the output ${name}, which no plugin makes`, {
        hint: `outputs of this config: ${[...specs.keys()].sort().join(', ')}`,
        exit: ExitCode.usage,
      })
    const [full] = found
    if (path.includes(full))
      throw new ZosError('OUTPUT_CYCLE', `outputs need each other: ${[...path, full].join(' → ')}`)
    let promise = made.get(full)
    if (!promise) {
      promise = packOne(full, [...path, full])
      made.set(full, promise)
    }
    return promise
  }

  const packOne = async (name: string, path: readonly string[]): Promise<Output> => {
    const spec = specs.get(name)!
    const from = new Map<string, Output>()
    for (const one of spec.from ?? []) from.set(one, await output(one, name, path))
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
                const other = from.get(inner)
                if (!other)
                  throw new ZosError('OUTPUT_UNDECLARED', `${name} did not say that it is made of ${inner}`, {
                    hint: 'name it in `from`',
                  })
                recorder.note('output', inner, other.blob.sha256)
                return other
              },
            },
          })
          return tap.run(spec, ctx)
        },
        encode: async (result) => result as unknown as Json,
        decode: async (stored) => stored as unknown as Packed,
        isWhole: async (stored) => session.store.blobs.has((stored as unknown as Packed).blob),
      }),
    )
    if (packed === undefined)
      throw new ZosError('OUTPUT_FORMAT', `no plugin of this config packs the format ${spec.format} (${name})`, {
        exit: ExitCode.config,
      })
    return { ...(packed as Packed), name, plugin: spec.plugin, format: spec.format }
  }

  const names = wanted.length > 0 ? wanted : [...specs.keys()].sort()
  return Promise.all(names.map((name) => output(name, 'the command line')))
}
