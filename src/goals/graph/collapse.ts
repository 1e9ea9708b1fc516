/** A graph with its deeper goals drawn as one box each. */
import type { Graph, GraphEdge, GraphNode } from './graph.ts'

/**
 * Goals at `depth` (1: the goal that was asked for) become one node that says how much is in it; edges from and to what is in
 * them are theirs. Linear in nodes and edges.
 */
export function collapsed(graph: Graph, depth: number): Graph {
  const within = new Map<string, string>()
  const depths = new Map<string, number>()
  const steps = new Map<string, GraphNode[]>()
  for (const node of graph.nodes) {
    const above = node.parent === undefined ? undefined : within.get(node.parent)
    depths.set(node.id, node.parent === undefined ? 1 : (depths.get(node.parent) ?? 0) + (node.kind === 'goal' ? 1 : 0))
    if (above !== undefined) within.set(node.id, above)
    else if (node.kind === 'goal' && (depths.get(node.id) ?? 1) >= depth) within.set(node.id, node.id)
    const box = within.get(node.id)
    if (box === undefined || node.kind === 'goal') continue
    const known = steps.get(box)
    if (known === undefined) steps.set(box, [node])
    else known.push(node)
  }
  return {
    ...graph,
    nodes: graph.nodes.flatMap(node => {
      const box = within.get(node.id)
      return box === undefined ? [node] : box === node.id ? [boxOf(node, steps.get(box) ?? [])] : []
    }),
    edges: rejoined(graph.edges, within)
  }
}

function boxOf(goal: GraphNode, steps: readonly GraphNode[]): GraphNode {
  const durations = steps.flatMap(({ durationMs }) => (durationMs === undefined ? [] : [durationMs]))
  return {
    ...goal,
    kind: 'collapsed',
    label: `${goal.label}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`,
    ...(durations.length > 0 && { durationMs: durations.reduce((sum, each) => sum + each, 0) }),
    ...(steps.some(({ critical }) => critical) && { critical: true })
  }
}

/** Edges between the boxes; those within one box, and those that are there already, are dropped. */
function rejoined(edges: readonly GraphEdge[], within: ReadonlyMap<string, string>): GraphEdge[] {
  const joined = new Map<string, GraphEdge>()
  for (const edge of edges) {
    const [from, to] = [within.get(edge.from) ?? edge.from, within.get(edge.to) ?? edge.to]
    if (from === to) continue
    const key = `${from}\0${to}\0${edge.kind}`
    const known = joined.get(key)
    const paths = [...new Set([...(known?.paths ?? []), ...(edge.paths ?? [])])]
    joined.set(key, { from, to, kind: edge.kind, ...(paths.length > 0 && { paths }) })
  }
  return Array.from(joined.values())
}
