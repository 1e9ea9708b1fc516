/** How long a plan would take, by how long its steps took in earlier runs of the same goal. */
import type { GoalEvent } from '../pursuit/events.ts'
import type { Plan, PlanNode, Took } from './plan.ts'

/** Durations of the steps of earlier runs, by id; those of a loop together too, for items that are new. */
export type Measured = ReadonlyMap<string, Took>

/** Linear in the number of events. */
export function measured(runs: readonly (readonly GoalEvent[])[]): Measured {
  const found = new Map<string, Took>()
  const note = (id: string, ms: number): void => {
    const before = found.get(id)
    found.set(id, { leastMs: Math.min(before?.leastMs ?? ms, ms), mostMs: Math.max(before?.mostMs ?? ms, ms) })
  }
  for (const events of runs)
    for (const { body } of events) {
      if (body.type !== 'step-ended' || body.status !== 'completed') continue
      note(body.step, body.durationMs)
      const every = everyItem(body.step)
      if (every !== body.step) note(every, body.durationMs)
    }
  return found
}

/**
 * The same plan with the time of each step that would be done, and of the whole: at least the fastest of each with all that may go side
 * by side, at most the slowest one after the other. Steps of which nothing is known are counted, not guessed.
 * @param most steps that may be done at a time
 */
export function estimated(plan: Plan, known: Measured, most = Number.POSITIVE_INFINITY): Plan {
  if (known.size === 0) return plan
  let [leastMs, mostMs, of, steps] = [0, 0, 0, 0]
  const nodes = plan.nodes.map((node): PlanNode => {
    if (node.kind !== 'step' || node.mark === '=') return node
    steps += 1
    const took = known.get(node.id) ?? known.get(everyItem(node.id))
    if (took === undefined) return node
    of += 1
    // What is only possible may not happen at all.
    leastMs += node.mark === '?' ? 0 : took.leastMs / Math.min(most, node.abreast ?? 1)
    mostMs += took.mostMs
    return { ...node, took }
  })
  if (of === 0) return plan
  return { ...plan, nodes, estimate: { leastMs: Math.round(leastMs), mostMs: Math.round(mostMs), known: of, steps } }
}

/** `site/m/copy[web1].2/send` → `site/m/copy[*]/send` */
export function everyItem(id: string): string {
  return id.includes('[') ? id.replace(/\[[^\]]*\](\.\d+)?/g, '[*]') : id
}
