// Places the nodes of a graph without circles in columns: each node right of all that it hangs on, few crossings.
// The method is Sugiyama's: layers by longest path, invisible nodes on long edges, order by the mean of the neighbours.
import type { Graph, GraphNode } from './graph.js'

export interface Placed {
  /** Column from 0, from left to right. */
  readonly layer: number
  /** Place in the column from 0, from top to bottom. */
  readonly row: number
  /** Nothing for the bend of a long edge. */
  readonly node?: GraphNode
}

export interface Layout {
  readonly places: ReadonlyMap<string, Placed>
  /** Ids of the places that each edge goes through, both ends included. */
  readonly paths: readonly (readonly string[])[]
  readonly layers: number
}

/** Sweeps over all columns; more change nothing in graphs of a build's size. */
const sweeps = 12

const layersOf = ({ nodes, edges }: Graph): Map<string, number> => {
  const layers = new Map<string, number>()
  const visit = (id: string): number => {
    const known = layers.get(id)
    if (known !== undefined) return known
    // A circle, which a build does not have, ends here.
    layers.set(id, 0)
    const above = edges.filter(({ to }) => to === id).map(({ from }) => visit(from) + 1)
    const layer = Math.max(0, ...above)
    layers.set(id, layer)
    return layer
  }
  for (const { id } of nodes) visit(id)
  // A node that nothing leads to stands beside its first reader, not at the far left.
  for (const { id } of nodes) {
    if (edges.some(({ to }) => to === id)) continue
    const readers = edges.filter(({ from }) => from === id).map(({ to }) => layers.get(to)!)
    if (readers.length > 0) layers.set(id, Math.max(0, Math.min(...readers) - 1))
  }
  return layers
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

export const layout = (graph: Graph): Layout => {
  const layers = layersOf(graph)
  const columns: string[][] = Array.from({ length: Math.max(0, ...layers.values()) + 1 }, () => [])
  const put = (id: string, layer: number): void => void columns[layer]!.push(id)
  for (const { id } of graph.nodes) put(id, layers.get(id)!)
  const paths = graph.edges.map(({ from, to }, index) => {
    const path = [from]
    for (let layer = layers.get(from)! + 1; layer < layers.get(to)!; layer++) {
      const bend = `bend:${index}:${layer}`
      put(bend, layer)
      path.push(bend)
    }
    return [...path, to]
  })
  const before = new Map<string, string[]>()
  const after = new Map<string, string[]>()
  for (const path of paths)
    for (let at = 1; at < path.length; at++) {
      before.set(path[at]!, [...(before.get(path[at]!) ?? []), path[at - 1]!])
      after.set(path[at - 1]!, [...(after.get(path[at - 1]!) ?? []), path[at]!])
    }
  const rows = new Map<string, number>()
  const number = (column: readonly string[]): void => {
    for (const [row, id] of column.entries()) rows.set(id, row)
  }
  for (const column of columns) number(column)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const neighbours = sweep % 2 === 0 ? before : after
    for (const column of sweep % 2 === 0 ? columns : [...columns].reverse()) {
      const keys = new Map(
        column.map((id): [string, number] => {
          const near = neighbours.get(id) ?? []
          return [id, near.length > 0 ? mean(near.map((one) => rows.get(one)!)) : rows.get(id)!]
        }),
      )
      column.sort((a, b) => keys.get(a)! - keys.get(b)!)
      number(column)
    }
  }
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  const places = new Map<string, Placed>()
  for (const [layer, column] of columns.entries())
    for (const [row, id] of column.entries()) {
      const node = byId.get(id)
      places.set(id, { layer, row, ...(node && { node }) })
    }
  return { places, paths, layers: columns.length }
}
