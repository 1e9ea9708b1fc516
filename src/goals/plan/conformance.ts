/** Whether a run has done what its plan said, and nothing else: each effect of a run is matched to a step of the plan. */
import type { GoalEvent, GoalEventBody } from '../pursuit/events.ts'
import { everyItem } from './estimate.ts'
import type { Plan, PlanNode } from './plan.ts'

/** What a plan says may be done, short enough to stand at the beginning of a journal. */
export interface Announced {
  /** Ids of steps; `[*]` stands for every item or turn of a loop, `**` at the end for whatever begins like this. */
  readonly steps: readonly string[]
  /** Beginnings of ids, `[*]` in them as in those: of methods that are tried when the planned one fails, and of corrections. */
  readonly otherwise: readonly string[]
}

/** Steps that are named one by one; beyond that, those of a loop stand together. At some 40 bytes each the record is 200 KB. */
export const ANNOUNCED_MAX = 5_000

/** At the end of an id: whatever begins like this. */
const BELOW = '**'

type StepBegan = Extract<GoalEventBody, { type: 'step-began' }>

/**
 * Linear in the number of nodes.
 * @param faulty steps besides them that would be begun, and fail before they did anything
 * @param named steps that may be named one by one
 */
export function announcedBy(nodes: Plan['nodes'], faulty: readonly string[] = [], named = ANNOUNCED_MAX): Announced {
  const planned = nodes.flatMap(node => (node.kind === 'step' && (node.mark !== '=' || node.because === undefined) ? [node.id] : []))
  const ids = [...planned, ...faulty]
  return { steps: ids.length <= named ? ids : together(ids), otherwise: nodes.flatMap(otherwise) }
}

/** Those of a loop together, and if that is not enough those of a method. */
function together(ids: readonly string[]): readonly string[] {
  const loops = new Set(ids.map(everyItem))
  if (loops.size <= ANNOUNCED_MAX) return [...loops]
  return [...new Set(Array.from(loops, id => `${id.slice(0, id.lastIndexOf('/') + 1)}${BELOW}`))]
}

/**
 * The steps that the run has begun and no plan of it knew; not those by which a person has had it undone. A plan is made as if all
 * goes well: once something has failed, what is walked again may find other items in the same loops.
 * @returns undefined when it did something without having said what it might do: it was too much, or an older version
 */
export function unplanned(events: readonly GoalEvent[]): readonly StepBegan[] | undefined {
  const known = new Known()
  const found = new Map<string, StepBegan>()
  let isSaid = false
  for (const { body } of events) {
    if (body.type === 'undoing') break
    if (body.type === 'proposed' || body.type === 'started') {
      if (body.planned !== undefined) known.add(body.planned)
      // A saved plan has said it for the first stretch.
      isSaid = body.planned !== undefined || (isSaid && body.type === 'started' && body.cause === 'first')
    }
    if (body.type === 'step-ended' && body.status !== 'completed') known.failed = true
    if (body.type !== 'step-began') continue
    if (!isSaid) return undefined
    if (!known.has(body.step)) found.set(body.step, body)
  }
  return [...found.values()]
}

/** All that was said. */
class Known {
  failed = false
  readonly #exact = new Set<string>()
  readonly #patterns = new Set<string>()
  readonly #loops = new Set<string>()
  readonly #beginnings = new Set<string>()

  add({ steps, otherwise: beginnings }: Announced): void {
    for (const id of steps) {
      if (id.includes('[*]') || id.endsWith(BELOW)) this.#patterns.add(id)
      else this.#exact.add(id)
      this.#loops.add(everyItem(id))
    }
    for (const beginning of beginnings) {
      if (beginning.includes('[*]')) this.#patterns.add(`${beginning}${BELOW}`)
      else this.#beginnings.add(beginning)
    }
  }

  has(step: string): boolean {
    if (this.#exact.has(step) || matchesOne(this.#patterns, step)) return true
    if (this.failed && this.#loops.has(everyItem(step))) return true
    for (const beginning of this.#beginnings) if (step.startsWith(beginning)) return true
    return false
  }
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
  const below = pattern.endsWith(BELOW)
  const parts = (below ? pattern.slice(0, -BELOW.length) : pattern).split('[*]').map(part => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const made = new RegExp(`^${parts.join('\\[[^\\]]*\\](\\.\\d+)?')}${below ? '' : '$'}`)
  expressions.set(pattern, made)
  return made
}

function otherwise({ kind, id, method, candidates = [] }: PlanNode): string[] {
  if (kind !== 'goal') return []
  // One that is tried since another failed may not find things as the plan did: how far that would come is not known.
  const isSecond = candidates.some(each => each.verdict === 'failed')
  const others = candidates.filter(each => (isSecond || each.method !== method) && each.verdict !== 'rejected').map(each => each.method)
  return [
    ...(method === undefined ? [] : [`${id}/${method}/correct[`]),
    ...others.map(each => `${id}/${each}/`),
    ...others.map(each => `${id}/${each}>`),
    // what other methods need is pursued before they are
    ...(others.length > 0 ? [`${id}>`] : [])
  ]
}
