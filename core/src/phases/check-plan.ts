// The plan is judged as a whole before anything is fetched or built: what refers to nothing, goes in circles, or has
// nobody to make it.
import type { ResolvedPlan, Session } from '../engine/session.js'
import { ExitCode, ZosError } from '../error.js'
import { componentOf } from '../model/artifact.js'
import { ordered } from './build.js'

/** `initramfs` stands for `initramfs.cpio.xz`: an output may be named without what follows its first dot. */
export const findOutput = <T>(outputs: ReadonlyMap<string, T>, name: string): [string, T] | undefined =>
  [...outputs].find(([full]) => full === name) ?? [...outputs].find(([full]) => full.split('.')[0] === name)

/** What a build writes beside its outputs. */
const reserved = ['manifest.json', 'build.log', 'sbom.spdx.json']

/** Refuses a name under which a file would lie outside of the output folder, or in the place of the build's own files. */
export const checkOutputName = (name: string, by: string): void => {
  const parts = name.split('/')
  const isPlain =
    /^[A-Za-z0-9._+~@=/-]{1,200}$/.test(name) && parts.every((part) => part !== '' && !/^\.{1,2}$/.test(part))
  if (isPlain && !reserved.includes(name) && !parts.at(-1)?.startsWith('.')) return
  throw new ZosError('OUTPUT_NAME', `${by} makes an output ${JSON.stringify(name)}`, {
    hint: 'a name is a path below the output folder, of letters, digits and ._+~@=-; manifest.json, sbom.spdx.json and build.log are taken',
  })
}

const unknown = (name: string, by: string, { outputs }: ResolvedPlan): ZosError =>
  new ZosError('OUTPUT_UNKNOWN', `${by} asks for the output ${name}, which no plugin makes`, {
    hint: `outputs of this config: ${[...outputs.keys()].sort().join(', ')}`,
    exit: ExitCode.usage,
  })

const checkOutputs = (plan: ResolvedPlan): void => {
  const done = new Set<string>()
  const visit = (name: string, by: string, path: readonly string[]): void => {
    const [full, spec] = findOutput(plan.outputs, name) ?? []
    if (full === undefined || !spec) throw unknown(name, by, plan)
    if (path.includes(full))
      throw new ZosError(
        'OUTPUT_CYCLE',
        `outputs need each other: ${[...path.slice(path.indexOf(full)), full].join(' → ')}`,
      )
    if (done.has(full)) return
    for (const from of spec.from ?? []) visit(from, full, [...path, full])
    done.add(full)
  }
  for (const name of [...plan.outputs.keys()].sort()) visit(name, 'the config', [])
  for (const [name, { needs = [] }] of plan.outputs)
    for (const id of needs.map(componentOf))
      if (!plan.components.has(id))
        throw new ZosError('COMPONENT_UNKNOWN', `${name} needs ${id}, which no plugin declares`, {
          hint: `components of this build: ${[...plan.components.keys()].sort().join(', ') || 'none'}`,
          exit: ExitCode.config,
        })
}

const checkKinds = ({ tapables, plan }: Session): void => {
  const { sources, components, outputs } = plan!
  const refuse = (code: string, what: string): never => {
    throw new ZosError(code, `no plugin of this config ${what}`, {
      hint: 'add the plugin that does to the config',
      exit: ExitCode.config,
    })
  }
  for (const [id, { source }] of sources)
    if (!tapables.fetch.get(source.kind)?.isUsed())
      refuse('SOURCE_KIND', `fetches sources of kind ${source.kind} (${id})`)
  for (const [id, { kind }] of components)
    if (!tapables.build.get(kind)?.isUsed()) refuse('COMPONENT_KIND', `builds components of kind ${kind} (${id})`)
  for (const [name, { format }] of outputs)
    if (!tapables.pack.get(format)?.isUsed()) refuse('OUTPUT_FORMAT', `packs the format ${format} (${name})`)
}

const checkBudgetNames = ({ config, plan }: Session): void => {
  for (const name of Object.keys(config.size.budget ?? {}))
    if (!findOutput(plan!.outputs, name))
      throw new ZosError('SIZE_OUTPUT', `size.budget names ${name}, which no plugin makes`, {
        hint: `outputs of this config: ${[...plan!.outputs.keys()].sort().join(', ')}`,
        exit: ExitCode.config,
      })
}

/** Judges the plan, and the outputs that were asked for by name. */
export const checkPlan = (session: Session, wanted: readonly string[]): void => {
  const plan = session.plan!
  for (const [name, { plugin }] of plan.outputs) checkOutputName(name, plugin)
  checkKinds(session)
  ordered(plan.components)
  checkOutputs(plan)
  checkBudgetNames(session)
  for (const name of wanted) if (!findOutput(plan.outputs, name)) throw unknown(name, 'the command line', plan)
}
