/** Whether a run has done what its plan said, and nothing else: each effect of a run is matched to a step of the plan. */
import type { GoalEvent, GoalEventBody } from '../pursuit/events.ts'
import { everyItem } from './estimate.ts'
import type { Plan, PlanNode } from './plan.ts'

/** What a plan says may be done, short enough to stand at the beginning of a journal. */
export interface Announced {
  /** Ids of steps; `[*]` stands for every item or turn of a loop. */
  readonly steps: readonly string[]
  /** Beginnings of ids: of methods that are tried when the planned one fails, and of corrections. */
  readonly otherwise: readonly string[]
}

/** Steps that are named one by one; beyond that, those of a loop stand together. At some 40 bytes each the record is 200 KB. */
export const ANNOUNCED_MAX = 5_000

type StepBegan = Extract<GoalEventBody, { type: 'step-began' }>

/** Linear in the number of nodes. */
export function announcedBy({ nodes }: Pick<Plan, 'nodes'>): Announced {
  const ids = nodes.flatMap(node => (node.kind === 'step' && (node.mark !== '=' || node.because === undefined) ? [node.id] : []))
  const steps = ids.length <= ANNOUNCED_MAX ? ids : [...new Set(ids.map(everyItem))]
  return { steps, otherwise: nodes.flatMap(otherwise) }
}

/**
 * The steps that the run has begun and the plan does not know; not those by which a person has had it undone. A plan is made as if all
 * goes well: once something has failed, what is walked again may find other items in the same loops.
 */
export function unplanned({ steps, otherwise: beginnings }: Announced, events: readonly GoalEvent[]): readonly StepBegan[] {
  const exact = new Set(steps.filter(id => !id.includes('[*]')))
  const patterns = new Set(steps.filter(id => id.includes('[*]')))
  const loops = new Set(steps.map(everyItem))
  let failed = false
  const isPlanned = (step: string): boolean =>
    exact.has(step) ||
    matchesOne(patterns, step) ||
    (failed && loops.has(everyItem(step))) ||
    beginnings.some(beginning => step.startsWith(beginning))
  const found = new Map<string, StepBegan>()
  for (const { body } of events) {
    if (body.type === 'undoing') break
    if (body.type === 'step-ended' && body.status !== 'completed') failed = true
    if (body.type === 'step-began' && !isPlanned(body.step)) found.set(body.step, body)
  }
  return [...found.values()]
}

/** A step may stand in several loops, of which the plan knew the items of some only. */
function matchesOne(patterns: ReadonlySet<string>, step: string): boolean {
  if (patterns.size === 0) return false
  if (patterns.has(everyItem(step))) return true
  for (const pattern of patterns) if (expression(pattern).test(step)) return true
  return false
}

const expressions = new Map<string, RegExp>()

function expression(pattern: string): RegExp {
  const known = expressions.get(pattern)
  if (known !== undefined) return known
  const parts = pattern.split('[*]').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const made = new RegExp(`^${parts.join('\\[[^\\]]*\\](\\.\\d+)?')}$`)
  expressions.set(pattern, made)
  return made
}

function otherwise({ kind, id, method, candidates = [] }: PlanNode): string[] {
  if (kind !== 'goal') return []
  const others = candidates.filter(each => each.method !== method && each.verdict !== 'rejected').map(each => each.method)
  return [
    ...(method === undefined ? [] : [`${id}/${method}/correct[`]),
    ...others.map(each => `${id}/${each}/`),
    ...others.map(each => `${id}/${each}>`),
    // what other methods need is pursued before they are
    ...(others.length > 0 ? [`${id}>`] : [])
  ]
}
