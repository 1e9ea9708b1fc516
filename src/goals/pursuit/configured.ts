import type { GoalEvent, GoalEventBody } from './events.ts'

/** What the goal's variables were bound to, unless the program was edited since. */
export function configurationOf(events: readonly GoalEvent[]): Extract<GoalEventBody, { type: 'configured' }> | undefined {
  const last = events.findLast(({ body }) => body.type === 'configured' || (body.type === 'repaired' && body.program !== undefined))?.body
  return last?.type === 'configured' ? last : undefined
}
