/** The longest way through a graph: what has to be faster for the whole to be faster. */
import type { Graph, GraphNode } from './graph.ts'

/** Time of a step that was never measured, in milliseconds, so that a way of many steps counts as longer than one of few. */
const UNMEASURED_MS = 1

/** When something ends at the earliest, and the step by which it ends then. */
interface Point {
  readonly ms: number
  readonly by: string | undefined
}

const BEGINNING: Point = { ms: 0, by: undefined }

/** The same graph with the nodes on its longest way marked, and how long that way takes. Linear in nodes, edges and depth. */
export function withCriticalPath(graph: Graph): { readonly graph: Graph; readonly durationMs: number } {
  const { via, end } = longestWay(graph)
  const critical = new Set<string>()
  for (let at = end.by; at !== undefined; at = via.get(at)) critical.add(at)
  const nodes = graph.nodes.map(node => (critical.has(node.id) ? { ...node, critical: true as const } : node))
  return { graph: { ...graph, nodes }, durationMs: end.ms }
}

/** One pass in order of the walk: whatever a node waits for, with all that is in it, stands before it. */
function longestWay({ nodes, edges }: Graph): { readonly via: ReadonlyMap<string, string | undefined>; readonly end: Point } {
  const before = predecessors(edges)
  const parents = new Map(nodes.map(({ id, parent }) => [id, parent]))
  const starts = new Map<string, Point>()
  const ends = new Map<string, Point>()
  const via = new Map<string, string | undefined>()
  let end = BEGINNING
  for (const node of nodes) {
    const inherited = (node.parent === undefined ? undefined : starts.get(node.parent)) ?? BEGINNING
    const start = (before.get(node.id) ?? []).map(id => ends.get(id) ?? BEGINNING).reduce(later, inherited)
    starts.set(node.id, start)
    ends.set(node.id, start)
    if (node.kind === 'goal') continue
    via.set(node.id, start.by)
    const ended: Point = { ms: start.ms + costOf(node), by: node.id }
    for (let at: string | undefined = node.id; at !== undefined; at = parents.get(at)) ends.set(at, later(ends.get(at) ?? BEGINNING, ended))
    end = later(end, ended)
  }
  return { via, end }
}

function predecessors(edges: Graph['edges']): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, string[]>()
  for (const { from, to, kind } of edges) {
    if (kind === 'part') continue
    const known = before.get(to)
    if (known === undefined) before.set(to, [from])
    else known.push(from)
  }
  return before
}

function later(a: Point, b: Point): Point {
  return b.ms > a.ms ? b : a
}

function costOf({ durationMs, mark, status }: GraphNode): number {
  if (mark === '=' || status === 'already-true') return 0
  return durationMs ?? UNMEASURED_MS
}
