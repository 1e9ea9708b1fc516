/** What happened to a goal so far, as a graph: a fold over its events, so that a live goal and a replayed one look the same. */
import type { GoalEvent, GoalEventBody } from '../pursuit/events.ts'
import { callerOf } from '../pursuit/instance.ts'
import { DataEdges } from './data-edges.ts'
import { GRAPH_VERSION, type Graph, type GraphEdge, type GraphNode, type GraphStatus } from './graph.ts'
import { Order } from './order.ts'

type Draft = { -readonly [K in keyof GraphNode]: GraphNode[K] }
type BodyOf<T extends GoalEventBody['type']> = Extract<GoalEventBody, { readonly type: T }>

/** The graph after each event. Kept between events, so that a goal can be followed at a cost linear in its events. */
export class RunGraph {
  readonly #nodes = new Map<string, Draft>()
  readonly #edges: GraphEdge[] = []
  readonly #data = new DataEdges()
  /** What each sub-goal gives back, by its instance. */
  readonly #gives = new Map<string, readonly string[]>()
  /** What comes after what within each goal. */
  readonly #orders = new Map<string, Order>()
  #goal = ''
  #agent: string | undefined

  /** @returns whether a drawing of the graph would change */
  next({ body }: GoalEvent): boolean {
    switch (body.type) {
      case 'proposed':
        this.#goal = body.goal
        this.#agent = body.agent
        return false
      case 'goal-began':
        this.#goalBegan(body)
        return true
      case 'method-chosen':
        this.#change(body.instance, { method: body.method })
        return true
      case 'goal-ended':
        this.#goalEnded(body)
        return true
      case 'step-began':
        this.#stepBegan(body)
        return true
      case 'step-ended':
        this.#stepEnded(body)
        return true
      case 'suspended':
        this.#suspended(body.step ?? body.instance)
        return true
      default:
        return false
    }
  }

  graph(): Graph {
    return {
      version: GRAPH_VERSION,
      goal: this.#goal,
      nodes: Array.from(this.#nodes.values(), node => ({ ...node })),
      edges: [...this.#edges, ...this.#data.edges()]
    }
  }

  #goalBegan({ instance, goal, describe, place, reads = [], writes = [] }: BodyOf<'goal-began'>): void {
    const parent = callerOf(instance, each => this.#nodes.get(each)?.kind === 'goal')
    if (parent !== undefined && !this.#nodes.has(instance)) this.#edges.push({ from: parent, to: instance, kind: 'part' })
    this.#enter({
      id: instance,
      kind: 'goal',
      ...(parent !== undefined && { parent }),
      label: goal,
      ...(describe !== undefined && { describe }),
      ...(this.#agent !== undefined && { agent: this.#agent }),
      place,
      status: 'running'
    })
    if (parent !== undefined) this.#data.read(instance, parent, reads)
    this.#gives.set(instance, writes)
  }

  #goalEnded({ instance, outcome }: BodyOf<'goal-ended'>): void {
    this.#change(instance, { status: goalStatus(outcome) })
    this.#ended(instance)
    const parent = this.#nodes.get(instance)?.parent
    if (parent !== undefined && outcome !== 'failed') this.#data.wrote(instance, parent, this.#gives.get(instance) ?? [])
  }

  #stepBegan({ step, instance, show, describe, place, peer, reads }: BodyOf<'step-began'>): void {
    this.#enter({
      id: step,
      kind: 'step',
      parent: instance,
      label: show,
      ...(describe !== undefined && { describe }),
      ...(peer !== undefined && { peer }),
      ...(this.#agent !== undefined && { agent: this.#agent }),
      place,
      status: 'running'
    })
    this.#data.read(step, instance, Object.keys(reads))
  }

  #stepEnded({ step, status, durationMs, writes }: BodyOf<'step-ended'>): void {
    this.#change(step, { status: status === 'completed' ? 'done' : status, durationMs })
    this.#ended(step)
    const parent = this.#nodes.get(step)?.parent
    if (parent === undefined) return
    this.#data.wrote(
      step,
      parent,
      writes.map(({ path }) => path)
    )
  }

  /** The step that is waited for, and every goal that waits with it. */
  #suspended(at: string | undefined): void {
    for (let id = at; id !== undefined; id = this.#nodes.get(id)?.parent)
      if (this.#nodes.get(id)?.status === 'running') this.#change(id, { status: 'suspended' })
  }

  #enter(node: Draft): void {
    const known = this.#nodes.get(node.id)
    if (node.parent !== undefined) {
      const before = this.#orderOf(node.parent).began(node.id)
      if (known === undefined) for (const from of before) this.#edges.push({ from, to: node.id, kind: 'order' })
    }
    this.#nodes.set(node.id, node)
  }

  #ended(id: string): void {
    const parent = this.#nodes.get(id)?.parent
    if (parent !== undefined) this.#orderOf(parent).ended(id)
  }

  #orderOf(goal: string): Order {
    const order = this.#orders.get(goal) ?? new Order()
    this.#orders.set(goal, order)
    return order
  }

  #change(id: string, change: Partial<Draft>): void {
    const node = this.#nodes.get(id)
    if (node !== undefined) Object.assign(node, change)
  }
}

/** The graph of all events of a goal. */
export function graphOfRun(events: readonly GoalEvent[]): Graph {
  const run = new RunGraph()
  for (const event of events) run.next(event)
  return run.graph()
}

function goalStatus(outcome: BodyOf<'goal-ended'>['outcome']): GraphStatus {
  switch (outcome) {
    case 'completed':
    case 'shared':
      return 'done'
    case 'already-true':
    case 'failed':
      return outcome
  }
}
