/** All that is known of a goal, at once. */
import type { Agency, GoalEvent, Principal } from '../node/control/contract.ts'

/** Its events so far, from number `from` on, without output. */
export async function eventsOf(agency: Agency, by: Principal, id: string, from = 1): Promise<readonly GoalEvent[]> {
  const events: GoalEvent[] = []
  for await (const item of agency.stream('events', { id, from }, by)) if (item.type === 'event') events.push(item.event)
  return events
}
