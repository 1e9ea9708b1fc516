/** A plan as a graph. */
import type { Plan, PlanNode } from '../plan/plan.ts'
import { DataEdges } from './data-edges.ts'
import { GRAPH_VERSION, type Graph, type GraphEdge, type GraphNode } from './graph.ts'

/** Linear in the number of nodes and of what they read and write. */
export function graphOfPlan(plan: Plan): Graph {
  const data = new DataEdges()
  const edges: GraphEdge[] = []
  for (const node of plan.nodes) {
    if (node.kind === 'goal' && node.parent !== undefined) edges.push({ from: node.parent, to: node.id, kind: 'part' })
    for (const before of node.needs) edges.push({ from: before, to: node.id, kind: 'order' })
    const scope = node.parent ?? node.id
    data.read(node.id, scope, node.reads)
    data.wrote(node.id, scope, node.writes)
  }
  return { version: GRAPH_VERSION, goal: plan.goal, nodes: plan.nodes.map(nodeOf), edges: [...edges, ...data.edges()] }
}

function nodeOf({ id, kind, parent, text, describe, method, peer, took, place, mark }: PlanNode): GraphNode {
  return {
    id,
    kind,
    ...(parent !== undefined && { parent }),
    label: text,
    ...(describe !== undefined && { describe }),
    ...(method !== undefined && { method }),
    ...(peer !== undefined && { peer }),
    place,
    mark,
    ...(took !== undefined && { durationMs: Math.round((took.leastMs + took.mostMs) / 2) })
  }
}
