/** A graph as Mermaid, which renders in many places where Markdown does. Source: https://mermaid.js.org/syntax/flowchart.html */
import { type Cluster, type Clustering, clustersOf } from './clusters.ts'
import { drawnEdges } from './dot.ts'
import type { Graph, GraphEdge, GraphNode } from './graph.ts'
import { escapeTerminal } from '../render/escape.ts'
import { fills, type Look, linesOf, lookOf } from './look.ts'

/** One text, a line a node and an edge, in the order of the walk. */
export function mermaidText(graph: Graph, by: Clustering): string {
  const names = new Map(graph.nodes.map((node, at) => [node.id, `n${at + 1}`]))
  let frames = 0
  const frame = (cluster: Cluster, indent: string): string[] => [
    `${indent}subgraph s${(frames += 1)}[${quoted(cluster.label)}]`,
    ...inside(cluster, `${indent}  `),
    `${indent}end`
  ]
  const inside = (cluster: Cluster, indent: string): string[] => [
    ...cluster.nodes.map(node => `${indent}${names.get(node.id)}${boxOf(node)}:::${lookOf(node)}`),
    ...cluster.clusters.flatMap(each => frame(each, indent))
  ]
  const looks = new Set(graph.nodes.map(lookOf))
  const critical = graph.nodes.filter(node => node.critical).map(node => names.get(node.id))
  return [
    'flowchart LR',
    ...inside(clustersOf(graph, by), '  '),
    ...drawnEdges(graph).map(edge => `  ${names.get(edge.from)} ${arrowOf(edge)} ${names.get(edge.to)}`),
    ...Array.from(looks, (look: Look) => `  classDef ${look} fill:${fills[look]},stroke:#666,color:#000`),
    ...(critical.length > 0 ? ['  classDef critical stroke:#b2182b,stroke-width:3px', `  class ${critical.join(',')} critical`] : []),
    ''
  ].join('\n')
}

function boxOf(node: GraphNode): string {
  const text = quoted(linesOf(node).join('\n'))
  return node.kind === 'goal' ? `([${text}])` : node.kind === 'collapsed' ? `[[${text}]]` : `[${text}]`
}

function arrowOf({ kind, paths = [] }: GraphEdge): string {
  switch (kind) {
    case 'data':
      return `-->|${quoted(paths.join(', '))}|`
    case 'order':
      return '-.->'
    case 'part':
      return '--o'
  }
}

/** Quotes and what Mermaid or Markdown reads something into, as entities. */
function quoted(text: string): string {
  return `"${escapeTerminal(text)
    .replace(/[#"`<>&;|\\]/g, mark => `#${mark.codePointAt(0)};`)
    .replaceAll('\n', '<br>')}"`
}
