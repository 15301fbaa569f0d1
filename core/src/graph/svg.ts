// A graph as SVG: boxes in columns from left to right. Plain shapes and text, so that any viewer shows it.
import type { Graph, GraphNode } from './graph.js'
import { layout } from './layers.js'

const colors: Readonly<Record<GraphNode['kind'], string>> = {
  source: '#e8eef7',
  build: '#fdf0d5',
  assemble: '#e4f3e4',
  optimize: '#d8eed8',
  tree: '#cfe8cf',
  check: '#f3e6f5',
  pack: '#f9dcdc',
}
const kindNames: Readonly<Record<GraphNode['kind'], string>> = {
  source: 'source',
  build: 'component',
  assemble: 'assemble',
  optimize: 'optimize',
  tree: 'root file system',
  check: 'check',
  pack: 'output',
}

/** Pixels. */
const box = { height: 26, gap: 14, padding: 10 }
const margin = 24
const columnGap = 70
/** Of a letter at 12 px in common sans-serif fonts, on the safe side. */
const letterWidth = 6.9

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`).replace(/\p{Cc}/gu, ' ')

/** Nodes that would run have a thick border, those that may run a dashed one. */
const border = { hit: '', run: ' stroke-width="2.5"', maybe: ' stroke-dasharray="5 3"' } as const

export const graphSvg = (graph: Graph, title: string): string => {
  const { places, paths, layers } = layout(graph)
  const widths = Array.from({ length: layers }, () => 0)
  const counts = Array.from({ length: layers }, () => 0)
  for (const { layer, row, node } of places.values()) {
    counts[layer] = Math.max(counts[layer]!, row + 1)
    if (node) widths[layer] = Math.max(widths[layer]!, node.label.length * letterWidth + 2 * box.padding)
  }
  const lefts = widths.map(
    (_, index) => margin + widths.slice(0, index).reduce((sum, width) => sum + width + columnGap, 0),
  )
  const step = box.height + box.gap
  const tallest = Math.max(1, ...counts)
  const head = margin + 28
  const top = (layer: number): number => head + ((tallest - counts[layer]!) * step) / 2
  const middle = (id: string): { left: number; right: number; y: number } => {
    const { layer, row } = places.get(id)!
    const left = lefts[layer]!
    return { left, right: left + widths[layer]!, y: top(layer) + row * step + box.height / 2 }
  }
  const curves = paths.map((path) => {
    let line = ''
    for (let at = 1; at < path.length; at++) {
      const [from, to] = [middle(path[at - 1]!), middle(path[at]!)]
      const bend = (to.left - from.right) / 2
      // A bend goes straight through its column.
      line += `${at === 1 ? `M${from.right} ${from.y}` : `L${from.right} ${from.y}`} C${from.right + bend} ${from.y} ${to.left - bend} ${to.y} ${to.left} ${to.y}`
    }
    return `<path d="${line}" marker-end="url(#end)"/>`
  })
  const boxes = [...places].flatMap(([id, { node }]) => {
    if (!node) return []
    const { left, right, y } = middle(id)
    const shape = `<rect x="${left}" y="${y - box.height / 2}" width="${right - left}" height="${box.height}" rx="4" fill="${colors[node.kind]}"${border[node.state]}/>`
    return [
      `<g><title>${escaped(`${kindNames[node.kind]} ${node.label}`)}</title>${shape}<text x="${(left + right) / 2}" y="${y + 4}">${escaped(node.label)}</text></g>`,
    ]
  })
  const kinds = (Object.keys(colors) as GraphNode['kind'][]).filter((kind) =>
    graph.nodes.some((node) => node.kind === kind),
  )
  const legendTop = head + tallest * step + box.gap
  let at = margin
  const legend = kinds.map((kind) => {
    const place = at
    at += 22 + kindNames[kind].length * letterWidth + 18
    return `<rect x="${place}" y="${legendTop}" width="14" height="14" rx="2" fill="${colors[kind]}"/><text class="left" x="${place + 20}" y="${legendTop + 11}">${kindNames[kind]}</text>`
  })
  const width = Math.ceil(Math.max(at, lefts.at(-1)! + widths.at(-1)! + margin))
  const height = Math.ceil(legendTop + 14 + margin)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="12">`,
    '<style>text{text-anchor:middle;fill:#222}.left{text-anchor:start}rect{stroke:#666}path{fill:none;stroke:#999}</style>',
    '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z" style="fill:#999;stroke:none"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#fff" style="stroke:none"/>`,
    `<text class="left" x="${margin}" y="${margin + 6}" font-size="15">${escaped(title)}</text>`,
    ...curves,
    ...boxes,
    ...legend,
    '</svg>',
    '',
  ].join('\n')
}
