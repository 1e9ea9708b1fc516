/** A graph in the DOT language. Source: https://graphviz.org/doc/info/lang.html */
import { type Cluster, type Clustering, clustersOf } from './clusters.ts'
import type { Graph, GraphEdge, GraphNode } from './graph.ts'
import { escapeTerminal } from '../render/escape.ts'
import { fills, linesOf, lookOf } from './look.ts'

/** One text, a line a node and an edge, in the order of the walk: two drawings of the same graph are the same bytes. */
export function dotText(graph: Graph, by: Clustering): string {
  const names = new Map(graph.nodes.map((node, at) => [node.id, `n${at + 1}`]))
  let frames = 0
  const frame = (cluster: Cluster, indent: string): string[] => [
    `${indent}subgraph cluster_${(frames += 1)} {`,
    `${indent}  label=${quoted(cluster.label)} style=rounded color="#999999" fontname="sans-serif"`,
    ...inside(cluster, `${indent}  `),
    `${indent}}`
  ]
  const inside = (cluster: Cluster, indent: string): string[] => [
    ...cluster.nodes.map(node => `${indent}${names.get(node.id)} [${attributesOf(node)}]`),
    ...cluster.clusters.flatMap(each => frame(each, indent))
  ]
  return [
    `digraph ${quoted(graph.goal)} {`,
    '  rankdir=LR',
    '  node [shape=box style="rounded,filled" fontname="sans-serif" fontsize=11]',
    '  edge [fontname="sans-serif" fontsize=9]',
    ...inside(clustersOf(graph, by), '  '),
    ...drawnEdges(graph).map(edge => `  ${names.get(edge.from)} -> ${names.get(edge.to)} [${edgeAttributes(edge)}]`),
    '}',
    ''
  ].join('\n')
}

/** Those of nodes that are there; where data says the order already, the order is not drawn again. */
export function drawnEdges({ nodes, edges }: Graph): GraphEdge[] {
  const ids = new Set(nodes.map(({ id }) => id))
  const data = new Set(edges.filter(({ kind }) => kind === 'data').map(({ from, to }) => `${from}\0${to}`))
  return edges.filter(({ from, to, kind }) => ids.has(from) && ids.has(to) && (kind !== 'order' || !data.has(`${from}\0${to}`)))
}

function attributesOf(node: GraphNode): string {
  const attributes = [
    `label=${quoted(linesOf(node).join('\n'))}`,
    `fillcolor="${fills[lookOf(node)]}"`,
    `tooltip=${quoted(`${node.place.file}:${node.place.line}`)}`,
    ...(node.kind === 'goal' ? ['shape=ellipse'] : node.kind === 'collapsed' ? ['shape=box3d style=filled'] : []),
    ...(node.critical ? ['penwidth=3 color="#b2182b"'] : [])
  ]
  return attributes.join(' ')
}

function edgeAttributes({ kind, paths = [] }: GraphEdge): string {
  switch (kind) {
    case 'data':
      return `label=${quoted(paths.join('\n'))}`
    case 'order':
      return 'style=dashed color="#999999"'
    case 'part':
      return 'arrowhead=odot color="#999999"'
  }
}

/** A quoted string: quotes and backslashes escaped, a line feed as a line of its own. */
function quoted(text: string): string {
  return `"${escapeTerminal(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
