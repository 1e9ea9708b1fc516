/** Which nodes are drawn together in one frame. */
import type { Graph, GraphNode } from './graph.ts'

/** goal: frames within frames, a goal around its steps · peer, agent: one frame for each · none: no frames */
export type Clustering = 'goal' | 'peer' | 'agent' | 'none'
export const clusterings: readonly Clustering[] = ['goal', 'peer', 'agent', 'none']

export interface Cluster {
  readonly id: string
  readonly label: string
  /** Nodes that stand in this frame and in none within it. */
  readonly nodes: readonly GraphNode[]
  readonly clusters: readonly Cluster[]
}

/** All nodes in their frames; the outermost is no frame but the drawing. */
export function clustersOf({ nodes, goal }: Graph, by: Clustering): Cluster {
  switch (by) {
    case 'goal':
      return byGoal(nodes, goal)
    case 'peer':
      return byName(nodes, goal, node => (node.peer === undefined ? 'here' : `@${node.peer}`))
    case 'agent':
      return byName(nodes, goal, node => node.agent ?? 'no agent')
    case 'none':
      return { id: '', label: goal, nodes, clusters: [] }
  }
}

function byGoal(nodes: readonly GraphNode[], label: string): Cluster {
  const root = draft('', label)
  const drafts = new Map<string, Draft>()
  for (const node of nodes) {
    const around = (node.parent === undefined ? undefined : drafts.get(node.parent)) ?? root
    if (node.kind !== 'goal') around.nodes.push(node)
    else {
      const frame = draft(node.id, node.label)
      frame.nodes.push(node)
      around.clusters.push(frame)
      drafts.set(node.id, frame)
    }
  }
  return root
}

function byName(nodes: readonly GraphNode[], label: string, nameOf: (node: GraphNode) => string): Cluster {
  const root = draft('', label)
  const frames = new Map<string, Draft>()
  for (const node of nodes) {
    const name = nameOf(node)
    let frame = frames.get(name)
    if (frame === undefined) {
      frame = draft(name, name)
      frames.set(name, frame)
      root.clusters.push(frame)
    }
    frame.nodes.push(node)
  }
  return root
}

interface Draft extends Cluster {
  readonly nodes: GraphNode[]
  readonly clusters: Draft[]
}

function draft(id: string, label: string): Draft {
  return { id, label, nodes: [], clusters: [] }
}
