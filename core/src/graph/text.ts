// A graph in the languages of other drawing tools.
import type { Graph, GraphNode } from './graph.js'

/** Short names: labels may have any letters. */
const names = ({ nodes }: Graph): Map<string, string> => new Map(nodes.map(({ id }, index) => [id, `n${index}`]))

const shapes: Readonly<Record<GraphNode['kind'], readonly [string, string]>> = {
  source: ['([', '])'],
  build: ['[', ']'],
  assemble: ['[/', '/]'],
  optimize: ['[/', '/]'],
  tree: ['[(', ')]'],
  check: ['{{', '}}'],
  pack: ['[[', ']]'],
}

/** Mermaid, as Markdown pages of GitHub show it. Source: https://mermaid.js.org/syntax/flowchart.html */
export const graphMermaid = (graph: Graph): string => {
  const name = names(graph)
  const label = (text: string): string => `"${text.replace(/[&<>"#;]/g, (letter) => `#${letter.charCodeAt(0)};`)}"`
  const open = graph.nodes.filter(({ state }) => state !== 'hit').map(({ id }) => name.get(id))
  return [
    'flowchart LR',
    ...graph.nodes.map(
      ({ id, kind, label: text }) => `  ${name.get(id)}${shapes[kind][0]}${label(text)}${shapes[kind][1]}`,
    ),
    ...graph.edges.map(({ from, to }) => `  ${name.get(from)} --> ${name.get(to)}`),
    ...(open.length > 0 ? ['  classDef open stroke-width:3px', `  class ${open.join(',')} open`] : []),
    '',
  ].join('\n')
}

const dotShapes: Readonly<Record<GraphNode['kind'], string>> = {
  source: 'ellipse',
  build: 'box',
  assemble: 'parallelogram',
  optimize: 'parallelogram',
  tree: 'cylinder',
  check: 'hexagon',
  pack: 'note',
}

/** Graphviz. Source: https://graphviz.org/doc/info/lang.html */
export const graphDot = (graph: Graph): string => {
  const name = names(graph)
  const label = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
  return [
    'digraph build {',
    '  rankdir=LR',
    ...graph.nodes.map(
      ({ id, kind, label: text, state }) =>
        `  ${name.get(id)} [label=${label(text)}, shape=${dotShapes[kind]}${state === 'hit' ? '' : ', penwidth=2'}]`,
    ),
    ...graph.edges.map(({ from, to }) => `  ${name.get(from)} -> ${name.get(to)}`),
    '}',
    '',
  ].join('\n')
}
