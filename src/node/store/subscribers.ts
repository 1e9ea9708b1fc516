/** Who wants to be told of events: of one goal, or of all (`*`). */
import type { GoalEvent } from '../../goals/pursuit/events.ts'

export type EventListener = (event: GoalEvent) => void

/** Tells each listener in the order of events; a listener must not throw or block. */
export interface Subscribers {
  /** @returns ends it */
  subscribe(goalId: string | '*', listener: EventListener): () => void
  tell(event: GoalEvent): void
  /**
   * The next suspension of a goal behind event `after` is told only with what follows it, or once this is ended: nobody is to take a
   * goal that is being ended for one that waits for them. @returns ends it
   */
  withhold(goalId: string, after: number): () => void
  /** Whether the event is not to be told yet. */
  withholds(event: GoalEvent): boolean
}

interface Withheld {
  readonly after: number
  event?: GoalEvent
}

/** Nobody yet. */
export function subscribers(): Subscribers {
  const listeners = new Map<string, Set<EventListener>>()
  const withheld = new Map<string, Withheld>()
  const withholds = ({ goalId, seq, body }: GoalEvent): boolean =>
    body.type === 'suspended' && seq > (withheld.get(goalId)?.after ?? Number.POSITIVE_INFINITY)
  const tellNow = (event: GoalEvent): void => {
    for (const name of [event.goalId, '*']) for (const listener of listeners.get(name) ?? []) listener(event)
  }
  const endWithholding = (goalId: string): void => {
    const event = withheld.get(goalId)?.event
    withheld.delete(goalId)
    if (event !== undefined) tellNow(event)
  }
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
      const held = withheld.get(event.goalId)
      if (held?.event === undefined && withholds(event)) return void (held!.event = event)
      if (held?.event !== undefined) endWithholding(event.goalId)
      tellNow(event)
    },
    withhold: (goalId, after) => {
      if (!withheld.has(goalId)) withheld.set(goalId, { after })
      return () => endWithholding(goalId)
    },
    withholds
  }
}
