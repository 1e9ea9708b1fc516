/** What a goal has done that its saved plan did not know. */
import { unplanned } from '../plan/conformance.ts'
import type { GoalEvent } from '../pursuit/events.ts'

/** A step that no plan knew. */
export interface Unplanned {
  readonly step: string
  readonly show: string
}

/** Undefined when the goal was not executed from a saved plan: there is nothing to compare it with. */
export function unplannedSteps(events: readonly GoalEvent[]): readonly Unplanned[] | undefined {
  const proposed = events[0]?.body
  if (proposed?.type !== 'proposed' || proposed.planned === undefined) return undefined
  return unplanned(proposed.planned, events).map(({ step, show }) => ({ step, show }))
}
