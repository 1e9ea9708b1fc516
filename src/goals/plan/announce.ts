/** What a stretch of work says beforehand that it may do, so that all that it does can be compared with it. */
import type { Fact } from '../ports.ts'
import { foldHistory } from '../pursuit/history.ts'
import type { Pursuit } from '../pursuit/pursue.ts'
import { type Announced, announcedBy } from './conformance.ts'
import { walkThrough } from './make-plan.ts'
import { PlanningHand } from './planning-hand.ts'
import { withoutShells } from './without-shells.ts'

/** Goals and steps of a goal that says so: planning them takes a third of a second, and nothing else is done meanwhile. */
export const ANNOUNCING_NODES_MAX = 12_000
/** Steps that are named one by one in each stretch; beyond that, those of a loop stand together. */
const NAMED_MAX = 500
/** What is asked in the same words before the first step is done is as it was. */
const STAYS = ['{"kind":"file"', '{"kind":"edited"']

/**
 * Plans what is left to be done, as a person would see it who asked now, but without a process: what a pure shell would say is not known.
 * @param facts gets what was looked at: nothing has been done yet, so it is not looked at again
 * @returns undefined when it does nothing, has said it with a saved plan, or is too long
 */
export async function announce(pursuit: Pursuit, facts: Map<string, Fact>): Promise<Announced | undefined> {
  const { events, program, agent, instances, world, past, cause } = pursuit
  const proposed = events[0]?.body
  if (proposed?.type !== 'proposed' || proposed.checks !== undefined) return undefined
  if (cause === 'first' && proposed.planned !== undefined) return undefined
  const probe = withoutShells(world.probe)
  const hand = new PlanningHand(probe, foldHistory(events), ANNOUNCING_NODES_MAX)
  await walkThrough(
    {
      program,
      ...(agent !== undefined && { agent }),
      goal: proposed.goal,
      assignments: proposed.assignments,
      instances,
      surroundings: world.surroundings,
      probe,
      events,
      ...(proposed.undoes !== undefined && { undoes: past ?? [] })
    },
    hand
  )
  for (const [key, fact] of hand.facts()) if (STAYS.some(kind => key.startsWith(kind))) facts.set(key, fact)
  if (hand.isFull) return undefined
  const { steps, otherwise } = announcedBy(hand.nodes(), hand.faulty, NAMED_MAX)
  return { steps, otherwise: [...otherwise, ...hand.unsure] }
}
