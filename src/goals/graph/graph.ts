/**
 * Goals and steps as a graph that can be drawn: of a plan (what would happen) or of a goal's events (what happens and
 * happened). Nodes are in order of the walk; edges point from what comes first to what comes after, so there is no cycle.
 */
import type { PlanMark } from '../plan/plan.ts'
import type { Place } from '../program/model.ts'

/** Raised when the JSON form changes so that an older reader would misread it: schema/graph.schema.json */
export const GRAPH_VERSION = 1

/** What became of a node of a goal that is pursued. */
export type GraphStatus = 'running' | 'done' | 'already-true' | 'failed' | 'suspended' | 'in-doubt' | 'ignored' | 'stopped'

export interface GraphNode {
  readonly id: string
  readonly kind: 'goal' | 'step' | 'collapsed'
  /** The goal node that it is part of. */
  readonly parent?: string
  /** What a person would type, or the name of a goal; of a collapsed goal, how much is in it. Untrusted text: escape it. */
  readonly label: string
  readonly describe?: string
  readonly method?: string
  /** Node that would do it or did it; absent: the one that pursues the goal. */
  readonly peer?: string
  readonly agent?: string
  readonly place: Place
  /** Of a plan. */
  readonly mark?: PlanMark
  /** Of events. */
  readonly status?: GraphStatus
  /** How long it took, in milliseconds; of a plan, how long it took in earlier runs. */
  readonly durationMs?: number
  /** On the longest way through the graph. */
  readonly critical?: true
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  /** order: one after the other as written · data: `to` reads what `from` writes · part: `to` is a sub-goal of `from`'s method */
  readonly kind: 'order' | 'data' | 'part'
  /** Of data: the paths. */
  readonly paths?: readonly string[]
}

export interface Graph {
  readonly version: typeof GRAPH_VERSION
  readonly goal: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}
