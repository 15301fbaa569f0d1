// The graph of a build: sources, components, the taps that make the tree, checks and outputs.
import type { DryRun } from '../dry-run.js'
import { isTreeRead, type PlannedStep, stepRead } from '../engine/planner.js'
import type { Session } from '../engine/session.js'

export interface GraphNode {
  readonly id: string
  readonly kind: 'source' | 'build' | 'assemble' | 'optimize' | 'tree' | 'check' | 'pack'
  readonly label: string
  /** What a build would do with it now. */
  readonly state: 'hit' | 'run' | 'maybe'
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly { readonly from: string; readonly to: string }[]
}

/** Sources of one reader above this number become one node. */
const mostSources = 3

const treeId = 'tree'

const idOf = ({ step, phase }: Pick<PlannedStep, 'step' | 'phase'>): string => `${phase}:${step}`

/** The graph as far as a plan knows it: what steps read when they last ran, and before that what they declare. */
export const graphOf = ({ planner }: DryRun, { plan }: Session): Graph => {
  const nodes = new Map<string, GraphNode>()
  const edges = new Map<string, { from: string; to: string }>()
  const add = (node: GraphNode): void => void nodes.set(node.id, node)
  const connect = (from: string, to: string): void => void edges.set(`${from} ${to}`, { from, to })
  const stateOf = (ids: readonly string[]): GraphNode['state'] =>
    ids.some((id) => planner.fetches.includes(id)) ? 'run' : 'hit'

  const addSources = (ids: readonly string[], reader: string): void => {
    if (ids.length <= mostSources) {
      for (const id of ids) {
        add({ id: `source:${id}`, kind: 'source', label: id, state: stateOf([id]) })
        connect(`source:${id}`, reader)
      }
      return
    }
    const kinds = new Map<string, string[]>()
    for (const id of ids) {
      const kind = plan?.sources.get(id)?.source.kind ?? 'source'
      kinds.set(kind, [...(kinds.get(kind) ?? []), id])
    }
    for (const [kind, some] of kinds) {
      const id = `source:${kind} of ${reader}`
      const label = some.length === 1 ? some[0]! : `${some.length} × ${kind}`
      add({ id, kind: 'source', label, state: stateOf(some) })
      connect(id, reader)
    }
  }

  const isGrowing = ({ phase }: PlannedStep): boolean => phase === 'assemble' || phase === 'optimize'
  const states = planner.steps.filter(isGrowing).map(({ state }) => state)
  add({
    id: treeId,
    kind: 'tree',
    label: 'root file system',
    state: states.includes('run') ? 'run' : states.includes('maybe') ? 'maybe' : 'hit',
  })
  for (const one of planner.steps) {
    const id = idOf(one)
    add({ id, kind: one.phase as GraphNode['kind'], label: one.step, state: one.state })
    if (isGrowing(one)) connect(id, treeId)
    const sources = new Set<string>()
    for (const read of one.reads) {
      if (read.kind === 'source') sources.add(read.subject)
      const step = stepRead(read)
      if (step !== undefined) connect(read.kind === 'output' ? `pack:${step}` : `build:${step}`, id)
      // Taps that grow the tree see it as it was before them: that would be a circle.
      if (isTreeRead(read) && !isGrowing(one)) connect(treeId, id)
    }
    const component = one.phase === 'build' ? plan?.components.get(one.step) : undefined
    if (one.reads.length === 0 && component) {
      for (const name of component.sources ?? []) sources.add(`${component.plugin}/${name}`)
      for (const need of component.needs ?? []) connect(`build:${need.plugin}/${need.component}`, id)
    }
    addSources([...sources].sort(), id)
  }
  const known = [...edges.values()].filter(({ from, to }) => nodes.has(from) && nodes.has(to) && from !== to)
  return { nodes: [...nodes.values()], edges: known }
}
