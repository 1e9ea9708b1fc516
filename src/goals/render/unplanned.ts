/** What a goal has done that no plan of it knew. */
import { unplanned } from '../plan/conformance.ts'
import type { GoalEvent } from '../pursuit/events.ts'

/** A step that no plan knew. */
export interface Unplanned {
  readonly step: string
  readonly show: string
}

/** Undefined when it is not known what the goal was to do: there is nothing to compare it with. */
export function unplannedSteps(events: readonly GoalEvent[]): readonly Unplanned[] | undefined {
  return unplanned(events)?.map(({ step, show }) => ({ step, show }))
}
