/** Who wants to be told of events: of one goal, or of all (`*`). */
import type { GoalEvent } from '../../goals/pursuit/events.ts'

export type EventListener = (event: GoalEvent) => void

/** Tells each listener in the order of events; a listener must not throw or block. */
export interface Subscribers {
  /** @returns ends it */
  subscribe(goalId: string | '*', listener: EventListener): () => void
  tell(event: GoalEvent): void
}

/** Nobody yet. */
export function subscribers(): Subscribers {
  const listeners = new Map<string, Set<EventListener>>()
  return {
    subscribe: (goalId, listener) => {
      const all = listeners.get(goalId) ?? new Set()
      listeners.set(goalId, all.add(listener))
      return () => {
        all.delete(listener)
        if (all.size === 0 && listeners.get(goalId) === all) listeners.delete(goalId)
      }
    },
    tell: event => {
      for (const name of [event.goalId, '*']) for (const listener of listeners.get(name) ?? []) listener(event)
    }
  }
}
